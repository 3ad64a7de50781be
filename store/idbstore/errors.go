//go:build js

package idbstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// Each of these errors wraps what the browser reported, if it reported
// anything: an [github.com/hack-pad/go-indexeddb/idb.DOMException].
var (
	// ErrUnavailable is reported when the browser has no IndexedDB, denies it to
	// this page, as some do in private windows, can't open the database, or
	// doesn't answer.
	ErrUnavailable = errors.New("IndexedDB is not available")

	// ErrBlocked is reported by [Open] and [Delete] when another page or worker
	// has the database open and does not let go of it.
	ErrBlocked = errors.New("database is held by another page or worker")

	// ErrVersion is reported when the database was made by a newer version of
	// this package, or is not one of its databases.
	ErrVersion = errors.New("database has an unknown version")

	// ErrQuota is reported by writes when the browser grants no more space.
	// Nothing is changed then, and smaller writes may succeed.
	ErrQuota = errors.New("storage quota is exhausted")

	// ErrForeignValue is reported when a key holds something other than bytes.
	// It is a [store.ErrDamaged].
	ErrForeignValue = fmt.Errorf("%w: it is not bytes", store.ErrDamaged)

	// ErrClosed is reported when a store is used after Close.
	ErrClosed = errors.New("store is closed")
)

var (
	errLost   = errors.New("the browser closed the connection")
	errSilent = errors.New("the browser gave no answer in time")
)

// connectionFailed reports whether err may be cured by a new connection.
func connectionFailed(err error) bool {
	return errors.Is(err, errLost) || browser.Named(err,
		"InvalidStateError", // a transaction was begun after the connection closed
		"AbortError",        // the browser aborted a transaction as it closed the connection
		"UnknownError",      // Safari, of a connection that it dropped in the background
	)
}

// explain adds to an error what was attempted and what it means.
func explain(ctx context.Context, doing string, err error) error {
	switch {
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	case browser.Named(err, "QuotaExceededError"):
		err = fmt.Errorf("%w: %w", ErrQuota, err)
	case errors.Is(err, errSilent), connectionFailed(err):
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("idbstore: %s: %w", doing, err)
}
