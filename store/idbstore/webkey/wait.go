//go:build js

package webkey

import (
	"context"
	"errors"
	"syscall/js"
	"time"

	"github.com/netmapcache/netmapcache/store/idbstore"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// open opens the database, and makes it if there is none.
func open(ctx context.Context, factory js.Value, database string) (js.Value, error) {
	req := factory.Call("open", database, layoutVersion)
	upgrade := browser.Listen(req, "upgradeneeded", func(js.Value) {
		// If this throws, the request fails.
		browser.Try(func() (js.Value, error) { return req.Get("result").Call("createObjectStore", objectStore), nil })
	})
	if err := waitFor(ctx, req, "success", "error"); err != nil {
		if ctx.Err() == nil {
			upgrade()
			return js.Value{}, err
		}
		// The request can't be cancelled. The database that it may still make must be whole, and the connection must be closed.
		var success func()
		success = browser.Listen(req, "success", func(js.Value) {
			req.Get("result").Call("close")
			success()
			upgrade()
		})
		if errors.Is(err, errSilent) && answers(factory) {
			// There is no event for a request that waits for a deletion that other connections hold up.
			err = idbstore.ErrBlocked
		}
		return js.Value{}, err
	}
	upgrade()
	return req.Get("result"), nil
}

// answers reports whether factory answers a question that doesn't wait for any database.
func answers(factory js.Value) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	select {
	case <-browser.Alive(ctx, factory):
		return true
	case <-ctx.Done():
		return false
	}
}

// get returns the record that db holds, or undefined.
func get(ctx context.Context, db js.Value) (js.Value, error) {
	req := db.Call("transaction", objectStore).Call("objectStore", objectStore).Call("get", recordKey)
	if err := waitFor(ctx, req, "success", "error"); err != nil {
		return js.Value{}, err
	}
	return req.Get("result"), nil
}

// putIfAbsent stores record if db holds none, and returns the record that db then holds.
func putIfAbsent(ctx context.Context, db, record js.Value) (js.Value, error) {
	tx := db.Call("transaction", objectStore, "readwrite", map[string]any{"durability": "strict"})
	records := tx.Call("objectStore", objectStore)
	req := records.Call("get", recordKey)
	if err := waitFor(ctx, req, "success", "error"); err != nil {
		return js.Value{}, err
	}
	if there := req.Get("result"); !there.IsUndefined() {
		return there, nil
	}
	records.Call("put", record, recordKey)
	return record, waitFor(ctx, tx, "complete", "abort")
}

// waitFor waits until the event called success happens at target. If one of the events failures happens first, it
// returns the target's error.
func waitFor(ctx context.Context, target js.Value, success string, failures ...string) error {
	done := make(chan error, 1+len(failures))
	defer browser.Listen(target, success, func(js.Value) { done <- nil })()
	for _, failure := range failures {
		defer browser.Listen(target, failure, func(js.Value) {
			// Reading the error of a pending request throws.
			cause, err := browser.Try(func() (js.Value, error) { return target.Get("error"), nil })
			if err == nil && cause.Truthy() {
				err = js.Error{Value: cause}
			} else {
				err = errors.New(failure)
			}
			done <- err
		})()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
