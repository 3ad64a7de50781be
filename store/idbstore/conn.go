//go:build js

package idbstore

import (
	"context"
	"errors"
	"time"

	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// backoff are the pauses before an operation is tried again on a new connection.
var backoff = [...]time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond}

// A conn is one connection of a store to its database.
type conn struct {
	db      *browser.Database
	silence time.Duration // how long the browser may take to answer

	// lost ends when the browser closes the connection of itself. A transaction that
	// is being committed then may get no event at all.
	lost context.Context

	// The Store's mutex guards these.
	users   int    // operations under way
	retired bool   // closed, or left to close once they are through
	forget  func() // removes the listeners
}

// An opening is an attempt at a connection, shared by all who want one.
type opening struct {
	done chan struct{}
	err  error // why there is no connection once done is closed
}

// use calls fn with a connection, and again with a new one when the connection
// fails. fn must be safe to repeat.
func (s *Store) use(ctx context.Context, doing string, fn func(*conn) error) error {
	for attempt := 0; ; attempt++ {
		err := s.useOnce(ctx, fn)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !connectionFailed(err) || attempt == len(backoff) {
			return explain(ctx, doing, err)
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
	defer s.release(c)
	err = fn(c)
	if err != nil && (connectionFailed(err) || errors.Is(err, errSilent)) {
		s.retire(c)
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

func (s *Store) release(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.users--
	c.settle()
}

// retire closes c, so that the next operation opens another connection.
// Transactions under way are not disturbed.
func (s *Store) retire(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == c {
		s.conn = nil
	}
	if !c.retired {
		c.retired = true
		c.db.Close()
	}
	c.settle()
}

// settle removes the listeners of a retired connection once nobody waits for
// them.
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
		s.conn = s.newConn(db)
	}
}

func (s *Store) newConn(db *browser.Database) *conn {
	lost, lose := context.WithCancelCause(context.Background())
	c := &conn{db: db, silence: s.silence, lost: lost}
	offClose := db.OnClose(func() {
		lose(errLost)
		s.retire(c)
	})
	// Whoever wants the database upgraded or deleted need not wait for this
	// connection: a new one is opened when there is something to do.
	offVersionChange := db.OnVersionChange(func() { s.retire(c) })
	c.forget = func() {
		offClose()
		offVersionChange()
		lose(nil)
	}
	return c
}
