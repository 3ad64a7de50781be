//go:build !js

package idbstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/netmapcache/netmapcache/store"
)

// Without a browser the package only documents itself: Open gives no Store.

var errNoBrowser = fmt.Errorf("%w: %w", ErrUnavailable, errors.ErrUnsupported)

// A Store keeps its values in a database of IndexedDB. Its methods are safe for
// concurrent use, also beside other Stores of the same database, in this page and
// elsewhere.
type Store struct{}

var (
	_ store.Committer  = (*Store)(nil)
	_ store.BulkLoader = (*Store)(nil)
)

// Open opens the named database of this origin, and makes it if there is none.
// The errors are [ErrUnavailable], [ErrBlocked], [ErrVersion], [ErrQuota] and that of
// ctx; the same are reported later when a lost connection can't be replaced.
func Open(ctx context.Context, database string) (*Store, error) {
	return nil, errNoBrowser
}

// Delete deletes the named database of this origin and all that it holds. It need
// not exist. Stores that have it open let go of it, and make it anew, empty, when they are
// used again. If somebody else has it open and keeps it so, the error is [ErrBlocked];
// the database then goes when they let go of it.
func Delete(ctx context.Context, database string) error {
	return errNoBrowser
}

// Close closes the connection to the database. Transactions under way complete;
// what needs another reports [ErrClosed]. Subscriptions end.
func (s *Store) Close() error {
	return nil
}

// List implements [store.Store]. It walks the keys by a cursor, a page of them in
// each transaction; while the caller has a page, nothing is held open. Keys that
// aren't valid, which only others can have stored, are passed over, and to the other
// methods they are absent.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", errNoBrowser) }
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	return nil, errNoBrowser
}

// LoadMany implements [store.BulkLoader]. While the values of a batch are used the
// browser reads the next, so at most two are in memory.
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

// Commit implements [store.Committer]. All of ch takes effect or nothing. A value of more
// than [store.MaxValueLen] bytes is refused.
//
// If the connection is lost while the browser commits, the change is made again,
// unless the guard's key shows that it was made. If another writer came in between,
// that can't be told, and the error is [store.ErrConflict].
func (s *Store) Commit(ctx context.Context, ch store.Change) error {
	return errNoBrowser
}

// Subscribe calls fn when another Store of this database has changed it, be it in
// this page, in another or in a worker, until cancel is called or s is closed.
// Calls don't overlap. Changes in quick succession may be reported as one; one of
// which the other Store can't tell whether it took effect is not reported. In a
// browser without BroadcastChannel fn is never called.
func (s *Store) Subscribe(fn func()) (cancel func()) {
	return func() {}
}
