package idbstore

import (
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/store"
)

// Each of these errors wraps what the browser reported, if it reported
// anything: an [github.com/hack-pad/go-indexeddb/idb.DOMException].
var (
	// ErrUnavailable is reported when the browser has no IndexedDB, denies it to
	// this page, as some browsers do in private windows, can't open the database, or
	// doesn't answer.
	ErrUnavailable = errors.New("IndexedDB is not available")

	// ErrBlocked is reported when another page or worker has the database open and
	// doesn't close it, although the database is to be deleted or upgraded.
	// It is also reported when a call would have to wait for a blocked deletion.
	ErrBlocked = errors.New("database is held by another page or worker")

	// ErrVersion is reported when the database was made by a newer version of
	// this package, or is not one of its databases.
	ErrVersion = errors.New("database has an unknown version")

	// ErrQuota is reported by writes when the browser grants no more space.
	// Nothing has changed then, and smaller writes may succeed.
	ErrQuota = errors.New("storage quota is exhausted")

	// ErrForeignValue is reported when the value of a key isn't bytes.
	// It is a [store.ErrDamaged].
	ErrForeignValue = fmt.Errorf("%w: it is not bytes", store.ErrDamaged)

	// ErrClosed is reported when a store is used after Close.
	ErrClosed = errors.New("store is closed")
)
