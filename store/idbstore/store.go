//go:build js

package idbstore

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall/js"
	"time"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// The layout of a database: its version, and its only object store.
const (
	layoutVersion = 1
	objectStore   = "entries"
)

// A Store keeps its values in a database of IndexedDB. It is a [store.Committer] and a
// [store.BulkLoader]. Its methods are safe for concurrent use, and so are several Stores of
// one database, in this page and elsewhere.
type Store struct {
	database string
	channel  browser.Channel

	factory  func() (js.Value, error)
	version  uint
	silence  time.Duration // how long the browser may take to answer
	patience time.Duration // how long others may take to close a connection on request
	doubt    time.Duration // how long opening may take before the store checks whether the browser answers at all

	yielded atomic.Bool // the last connection was closed because others want to upgrade or delete the database

	mu      sync.Mutex
	conn    *conn         // nil if there is none at the moment
	opening *opening      // nil if none is being opened
	ended   chan struct{} // closed by Close
}

var (
	_ store.Committer  = (*Store)(nil)
	_ store.BulkLoader = (*Store)(nil)
)

func newStore(database string) *Store {
	return &Store{
		database: database,
		channel:  openChannel(database),
		factory:  indexedDB,
		version:  layoutVersion,
		silence:  20 * time.Second,
		patience: 2 * time.Second,
		doubt:    5 * time.Second,
		ended:    make(chan struct{}),
	}
}

// Open opens the named database of this origin, and makes it if there is none.
// Its errors are [ErrUnavailable], [ErrBlocked], [ErrVersion], [ErrQuota] and that of
// ctx. Other methods report them too if a lost connection can't be replaced.
func Open(ctx context.Context, database string) (*Store, error) {
	s := newStore(database)
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, explain(ctx, "open", err)
	}
	return s, nil
}

// open opens a connection for later calls.
func (s *Store) open(ctx context.Context) error {
	return s.use(ctx, func(*conn) error { return nil })
}

// Close closes the connection to the database and ends subscriptions. Transactions under way complete.
// Calls that need another transaction report [ErrClosed].
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed() {
		s.mu.Unlock()
		return nil
	}
	close(s.ended)
	c := s.conn
	s.mu.Unlock()
	if c != nil {
		c.retire()
	}
	s.channel.Close()
	return nil
}

func (s *Store) closed() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Delete deletes the named database of this origin with all that it holds. It
// need not exist. Stores that have the database open close it, and make it anew, empty, when they are
// used again. If other code has the database open and doesn't close it, the error is [ErrBlocked].
// The browser then deletes the database when it is closed.
func Delete(ctx context.Context, database string) error {
	s := newStore(database)
	defer s.Close()
	if err := s.delete(ctx); err != nil {
		return explain(ctx, "delete", err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	factory, err := s.factory()
	if err != nil {
		return err
	}
	req, err := browser.Delete(factory, s.database)
	if err != nil {
		return openError(err)
	}
	if err := s.answer(ctx, factory, req); err != nil {
		return err
	}
	s.channel.Post()
	return nil
}
