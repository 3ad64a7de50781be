//go:build js

package idbstore

import (
	"context"
	"errors"
	"time"

	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// backoff are the pauses before an operation is repeated on a new connection.
var backoff = [...]time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond}

// A conn is one connection of a store to its database.
type conn struct {
	store *Store
	db    *browser.Database

	// lost ends when the browser itself closes the connection. A transaction
	// that is being committed may then get no event at all.
	lost context.Context

	// The store's mutex guards these.
	users   int    // calls that wait for the connection's events
	retired bool   // closed by the store
	forget  func() // removes the listeners
}

// An opening is an attempt to open a connection, shared by all calls that need one.
type opening struct {
	done chan struct{}
	err  error // why there is no connection once done is closed
}

// use calls fn with a connection. If the connection fails, it calls fn again with a new
// one, so fn must be safe to repeat.
func (s *Store) use(ctx context.Context, fn func(*conn) error) error {
	for attempt := 0; ; attempt++ {
		err := s.useOnce(ctx, fn)
		if err == nil || ctx.Err() != nil || !connectionFailed(err) || attempt == len(backoff) {
			return err
		}
		select {
		case <-time.After(backoff[attempt]):
		case <-ctx.Done():
		}
	}
}

func (s *Store) useOnce(ctx context.Context, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer c.release()
	err = fn(c)
	if connectionFailed(err) || errors.Is(err, errSilent) {
		c.retire()
	}
	return err
}

// acquire returns the store's connection, or opens one. The caller must release it.
func (s *Store) acquire(ctx context.Context) (*conn, error) {
	for {
		s.mu.Lock()
		if s.closed() {
			s.mu.Unlock()
			return nil, ErrClosed
		}
		if c := s.conn; c != nil {
			c.users++
			s.mu.Unlock()
			return c, nil
		}
		o := s.opening
		if o == nil {
			o = &opening{done: make(chan struct{})}
			s.opening = o
			go s.connect(o)
		}
		s.mu.Unlock()

		select {
		case <-o.done:
			if o.err != nil {
				return nil, o.err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// retain keeps the listeners of c in place until release is called.
func (c *conn) retain() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.users++
}

func (c *conn) release() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.users--
	c.settle()
}

// retire closes c, so that the next operation opens another connection.
// Transactions under way are not disturbed.
func (c *conn) retire() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if c.store.conn == c {
		c.store.conn = nil
	}
	if !c.retired {
		c.retired = true
		c.db.Close()
	}
	c.settle()
}

// settle removes the listeners of a retired connection once no call waits for
// its events.
func (c *conn) settle() {
	if c.retired && c.users == 0 {
		c.forget()
	}
}

// connect carries out o.
func (s *Store) connect(o *opening) {
	db, err := s.request()

	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(o.done)
	s.opening = nil
	switch {
	case err != nil:
		o.err = err
	case s.closed():
		db.Close()
		o.err = ErrClosed
	default:
		s.yielded.Store(false)
		s.conn = s.newConn(db)
	}
}

func (s *Store) newConn(db *browser.Database) *conn {
	lost, lose := context.WithCancelCause(context.Background())
	c := &conn{store: s, db: db, lost: lost}
	offClose := db.OnClose(func() {
		lose(errLost)
		c.retire()
	})
	// An upgrade or deletion of the database need not wait for this
	// connection. The next call opens a new one.
	offVersionChange := db.OnVersionChange(func() {
		s.yielded.Store(true)
		c.retire()
	})
	c.forget = func() {
		offClose()
		offVersionChange()
		lose(nil)
	}
	return c
}
