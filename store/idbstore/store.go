//go:build js

package idbstore

import (
	"context"
	"sync"
	"syscall/js"
	"time"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// The layout of a database: its version, and its only object store.
const (
	layoutVersion = 1
	objectStore   = "entries"
)

// A Store keeps its values in a database of IndexedDB. Its methods are safe for
// concurrent use, also with other Stores of the same database, here and elsewhere.
type Store struct {
	config
	database string
	channel  browser.Channel

	mu      sync.Mutex
	conn    *conn    // nil if there is none at the moment
	opening *opening // nil if none is being opened
	closed  bool
}

var (
	_ store.Committer  = (*Store)(nil)
	_ store.BulkLoader = (*Store)(nil)
)

type config struct {
	durability idb.TransactionDurability
	version    uint
	silent     time.Duration // how long the browser may take to answer
	patience   time.Duration // how long another connection may block an upgrade
	global     func(name string) (js.Value, error)
}

func newConfig(opts []Option) config {
	c := config{
		durability: idb.DurabilityStrict,
		version:    layoutVersion,
		silent:     30 * time.Second,
		patience:   5 * time.Second,
		global:     browser.Global,
	}
	for _, opt := range opts {
		opt(&c)
	}
	return c
}

// An Option changes how a Store works.
type Option func(*config)

// Open opens the named database of this origin, and makes it if there is none.
func Open(ctx context.Context, database string, opts ...Option) (*Store, error) {
	s := &Store{config: newConfig(opts), database: database, channel: browser.NewChannel(channelName(database))}
	if err := s.use(ctx, "open", func(*conn) error { return nil }); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the connection to the database. Operations under way are
// completed, later ones report [ErrClosed]. Subscriptions end.
func (s *Store) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	c := s.conn
	s.mu.Unlock()
	if c != nil {
		s.retire(c)
	}
	if first {
		s.channel.Close()
	}
	return nil
}
