package netmapcache

import (
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/store"
)

// ErrKeyNotFound is reported by a [Store] when a key is loaded that it doesn't hold.
var ErrKeyNotFound = store.ErrKeyNotFound

// ErrCacheNotAvailable is reported when there is no usable snapshot: because caching is left out
// of the build, or for the reason that one of the errors below tells. They all satisfy
// errors.Is(err, ErrCacheNotAvailable).
//
// A store that can't be read is not among the reasons: its own error is
// reported then, and the snapshot may well be usable later.
var ErrCacheNotAvailable = errors.New("netmap cache is not available")

var (
	// ErrEmpty is reported when nothing is stored. If the storage itself isn't
	// there, such as the directory of a FileStore, the error says so too:
	// errors.Is(err, [io/fs.ErrNotExist]).
	ErrEmpty = fmt.Errorf("%w: nothing is stored", ErrCacheNotAvailable)

	// ErrCorrupt is reported when what is stored is damaged or incomplete.
	// The error's text names the column. The next Store replaces everything.
	ErrCorrupt = fmt.Errorf("%w: stored snapshot is corrupt", ErrCacheNotAvailable)

	// ErrWrongOwner is reported when the snapshot was stored with another
	// owner, or none, than [WithOwner] names.
	ErrWrongOwner = fmt.Errorf("%w: stored snapshot belongs to another owner", ErrCacheNotAvailable)

	// ErrExpired is reported when the snapshot was last confirmed longer ago
	// than [WithMaxAge] allows, at a time that is not known, or more than 24 hours
	// in the future.
	ErrExpired = fmt.Errorf("%w: stored snapshot is too old", ErrCacheNotAvailable)

	// ErrFormat is reported when a newer version of this package wrote the
	// snapshot, in a format that this one can't read.
	ErrFormat = fmt.Errorf("%w: stored snapshot has a newer format", ErrCacheNotAvailable)
)

// ErrClosed is reported when a Cache is to note a change after [Cache.Close].
var ErrClosed = errors.New("netmapcache: cache is closed")

// errNotMade is reported by the zero value of a Cache.
var errNotMade = errors.New("netmapcache: a Cache is made by NewCache")

// errNoUser is reported for a netmap whose self node has no user, which is the
// mark of a node that isn't logged in.
var errNoUser = errors.New("netmapcache: no user in netmap")

// errNoBase is reported when a part of a snapshot is to be updated and there is none.
var errNoBase = fmt.Errorf("netmapcache: an update needs a cached netmap: %w", ErrEmpty)

// errOutrun is reported when other writers were faster in each attempt.
var errOutrun = fmt.Errorf("netmapcache: given up after %d attempts: %w", attempts, store.ErrConflict)

// corrupt reports what is wrong with the column or key called name.
func corrupt(name, why string) error {
	return fmt.Errorf("netmapcache: %q: %s: %w", name, why, ErrCorrupt)
}

// corruptBy is corrupt with a cause.
func corruptBy(name string, cause error) error {
	return fmt.Errorf("netmapcache: %q: %w: %w", name, ErrCorrupt, cause)
}

// storeError reports what the store said of the column or key called name.
func storeError(name string, cause error) error {
	return fmt.Errorf("netmapcache: %q: %w", name, cause)
}

// isNotFound reports whether err is that of a store which doesn't hold a key.
func isNotFound(err error) bool { return errors.Is(err, ErrKeyNotFound) }
