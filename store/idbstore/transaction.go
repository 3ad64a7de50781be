//go:build js

package idbstore

import (
	"context"
	"errors"
	"syscall/js"
	"time"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// A transaction ends as soon as the event loop runs while none of its requests
// is pending. So between begin, the requests, await and finish, the caller must not wait
// for anything else.
type transaction struct {
	conn    *conn
	tx      *idb.Transaction
	entries *idb.ObjectStore
}

func (c *conn) begin(options idb.TransactionOptions) (*transaction, error) {
	tx, err := c.db.TransactionWithOptions(options, objectStore)
	if err != nil {
		return nil, browser.Normal(err)
	}
	entries, err := tx.ObjectStore(objectStore)
	if err != nil {
		return nil, browser.Normal(err)
	}
	return &transaction{c, tx, entries}, nil
}

// wait returns a context that ends with ctx, with the connection, or when the
// browser has been silent for too long. The context's cause says which.
func (c *conn) wait(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	silence := time.AfterFunc(c.store.silence, func() { cancel(errSilent) })
	stop := context.AfterFunc(c.lost, func() { cancel(errLost) })
	return ctx, func() {
		stop()
		silence.Stop()
		cancel(nil)
	}
}

// await waits for the success of req, which comes after that of all requests before it, and
// returns its result. If req fails, await reports why the transaction failed.
func (t *transaction) await(ctx context.Context, req *idb.Request) (js.Value, error) {
	if !done(req) {
		ctx, cancel := t.conn.wait(ctx)
		defer cancel()
		_, err := req.Await(ctx)
		switch {
		case err != nil:
			return js.Value{}, t.failure(err)
		case !done(req): // Await reports success if its context ends
			t.abort()
			return js.Value{}, context.Cause(ctx)
		}
	} else if err := req.Err(); err != nil {
		return js.Value{}, t.failure(err)
	}
	return req.Result()
}

// done reports whether req has succeeded or failed. If it hasn't, the caller can still listen
// for that until control returns to the event loop.
func done(req *idb.Request) bool {
	state, err := req.ReadyState()
	return err == nil && state == "done"
}

// failure returns why a request failed with err. Requests after
// the first that failed report only that the transaction was aborted.
func (t *transaction) failure(err error) error {
	if browser.Named(err, "AbortError") {
		if cause := t.tx.Err(); cause != nil {
			return cause
		}
	}
	return err
}

// finish commits the transaction and waits until that is complete. If it
// returns an error for which outcomeUnknown is true, the transaction may have been committed.
func (t *transaction) finish(ctx context.Context) error {
	if err := t.tx.Commit(); err != nil {
		return browser.Normal(err)
	}
	// Await may hang if its context ends just as it begins to listen. So it doesn't get
	// ctx, but a context that ends only later, by the browser or by its silence.
	end := make(chan error, 1)
	t.conn.retain()
	go func() {
		defer t.conn.release()
		wait, cancel := t.conn.wait(context.Background())
		defer cancel()
		err := t.tx.Await(wait)
		if errors.Is(err, context.Canceled) {
			err = context.Cause(wait)
		}
		end <- err
	}()
	select {
	case err := <-end:
		if err == nil {
			return nil
		}
		return t.failure(browser.Normal(err))
	case <-ctx.Done():
		t.abort()
		return ctx.Err()
	}
}

func outcomeUnknown(err error) bool {
	return errors.Is(err, errLost) || errors.Is(err, errSilent)
}

// abort undoes what the transaction did, if it hasn't ended.
func (t *transaction) abort() {
	// The only possible error says that it has ended.
	t.tx.Abort()
}
