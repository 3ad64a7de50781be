package netmapcache

import (
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/store"
)

// ErrKeyNotFound is the error of a [Store] for a key that it doesn't hold.
var ErrKeyNotFound = store.ErrKeyNotFound

// ErrCacheNotAvailable is reported when there is no usable snapshot: caching is left out
// of the build, or one of the errors below is the reason. They all satisfy
// errors.Is(err, ErrCacheNotAvailable).
//
// If the store can't be read, its own error is reported instead, and the snapshot may
// well be usable later.
var ErrCacheNotAvailable = errors.New("netmap cache is not available")

var (
	// ErrEmpty is reported when nothing is stored. If the storage itself doesn't
	// exist, such as the directory of a FileStore, the error also satisfies
	// errors.Is(err, [io/fs.ErrNotExist]).
	ErrEmpty = fmt.Errorf("%w: nothing is stored", ErrCacheNotAvailable)

	// ErrCorrupt is reported when what is stored is damaged or incomplete.
	// The error's text names the column. The next Store replaces everything.
	ErrCorrupt = fmt.Errorf("%w: stored snapshot is corrupt", ErrCacheNotAvailable)

	// ErrWrongOwner is reported when the owner of the snapshot isn't the one
	// that [WithOwner] names, or the snapshot has none.
	ErrWrongOwner = fmt.Errorf("%w: stored snapshot belongs to another owner", ErrCacheNotAvailable)

	// ErrExpired is reported under [WithMaxAge] when the snapshot was last confirmed longer ago
	// than allowed, at an unknown time, or more than 24 hours in the future.
	ErrExpired = fmt.Errorf("%w: stored snapshot is too old", ErrCacheNotAvailable)

	// ErrFormat is reported when a newer version of this package wrote the
	// snapshot in a format that this version can't read.
	ErrFormat = fmt.Errorf("%w: stored snapshot has a newer format", ErrCacheNotAvailable)
)

// ErrClosed is reported by Store and the Update methods after [Cache.Close].
var ErrClosed = errors.New("netmapcache: cache is closed")

// errNotMade is reported by the zero value of a Cache.
var errNotMade = errors.New("netmapcache: a Cache is made by NewCache")

// errNoUser is reported for a netmap whose self node has no user: the node
// isn't logged in.
var errNoUser = errors.New("netmapcache: no user in netmap")

// errNoBase is reported for an update when there is no snapshot.
var errNoBase = fmt.Errorf("netmapcache: an update needs a cached netmap: %w", ErrEmpty)

// errOutrun is reported when other writers were faster in every attempt.
var errOutrun = fmt.Errorf("netmapcache: given up after %d attempts: %w", attempts, store.ErrConflict)

// corrupt returns an ErrCorrupt that says what is wrong with the column or key called name.
func corrupt(name, why string) error {
	return fmt.Errorf("netmapcache: %q: %s: %w", name, why, ErrCorrupt)
}

// corruptBy is corrupt with a cause.
func corruptBy(name string, cause error) error {
	return fmt.Errorf("netmapcache: %q: %w: %w", name, ErrCorrupt, cause)
}

// storeError returns the store's error for the column or key called name.
func storeError(name string, cause error) error {
	return fmt.Errorf("netmapcache: %q: %w", name, cause)
}

// isNotFound reports whether err says that the store doesn't hold a key.
func isNotFound(err error) bool { return errors.Is(err, ErrKeyNotFound) }
