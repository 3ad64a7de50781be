//go:build !js

package idbstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/netmapcache/netmapcache/store"
)

// Without a browser the package exists only for its documentation: Open returns no Store.

var errNoBrowser = fmt.Errorf("%w: %w", ErrUnavailable, errors.ErrUnsupported)

// A Store keeps its values in a database of IndexedDB. It is a [store.Committer] and a
// [store.BulkLoader]. Its methods are safe for concurrent use, and so are several Stores of
// one database, in this page and elsewhere.
type Store struct{}

var (
	_ store.Committer  = (*Store)(nil)
	_ store.BulkLoader = (*Store)(nil)
)

// Open opens the named database of this origin, and makes it if there is none.
// Its errors are [ErrUnavailable], [ErrBlocked], [ErrVersion], [ErrQuota] and that of
// ctx. Other methods report them too if a lost connection can't be replaced.
func Open(ctx context.Context, database string) (*Store, error) {
	return nil, errNoBrowser
}

// Delete deletes the named database of this origin with all that it holds. It
// need not exist. Stores that have the database open close it, and make it anew, empty, when they are
// used again. If other code has the database open and doesn't close it, the error is [ErrBlocked].
// The browser then deletes the database when it is closed.
func Delete(ctx context.Context, database string) error {
	return errNoBrowser
}

// Close closes the connection to the database and ends subscriptions. Transactions under way complete.
// Calls that need another transaction report [ErrClosed].
func (s *Store) Close() error {
	return nil
}

// List implements [store.Store]. It walks the keys by a cursor, one page in
// each transaction. No transaction is open while the caller uses a page. List skips keys that
// aren't valid, which only other code can have stored. To the other
// methods they are absent.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", errNoBrowser) }
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	return nil, errNoBrowser
}

// LoadMany implements [store.BulkLoader]. While the caller uses the values of a batch, the
// browser reads the next batch, so at most two batches are in memory.
func (s *Store) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { yield(nil, errNoBrowser) }
}

// Store implements [store.Store].
func (s *Store) Store(ctx context.Context, key string, value []byte) error {
	return errNoBrowser
}

// Remove implements [store.Store].
func (s *Store) Remove(ctx context.Context, key string) error {
	return errNoBrowser
}

// Commit implements [store.Committer]. All of ch takes effect, or nothing. Commit refuses a value of more
// than [store.MaxValueLen] bytes.
//
// If the connection is lost while the browser commits, Commit makes the change again,
// unless the value of the guard's key shows that the change was made. If another writer has changed that key
// meanwhile, this can't be known, and the error is [store.ErrConflict].
func (s *Store) Commit(ctx context.Context, ch store.Change) error {
	return errNoBrowser
}

// Subscribe calls fn when another Store of this database, in
// this page, in another page or in a worker, has changed it, until cancel is called or s is closed.
// Calls don't overlap. One call may stand for several changes in quick succession. If the
// other Store doesn't know whether its change took effect, it doesn't announce the change. In a
// browser without BroadcastChannel fn is never called.
func (s *Store) Subscribe(fn func()) (cancel func()) {
	return func() {}
}
