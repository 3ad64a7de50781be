//go:build js

package webkey

import (
	"context"
	"errors"
	"syscall/js"

	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// open opens the database, and makes it if there is none.
func open(ctx context.Context, factory js.Value, database string) (js.Value, error) {
	req := factory.Call("open", database, layoutVersion)
	remove := browser.Listen(req, "upgradeneeded", func(js.Value) {
		// What it throws has the request fail.
		browser.Try(func() (js.Value, error) { return req.Get("result").Call("createObjectStore", objectStore), nil })
	})
	defer remove()
	if err := waitFor(ctx, req, "success", "error"); err != nil {
		if ctx.Err() != nil { // a connection that comes late must not stay open
			var off func()
			off = browser.Listen(req, "success", func(js.Value) {
				req.Get("result").Call("close")
				off()
			})
		}
		return js.Value{}, err
	}
	return req.Get("result"), nil
}

// get returns the record that db holds, or undefined.
func get(ctx context.Context, db js.Value) (js.Value, error) {
	req := db.Call("transaction", objectStore).Call("objectStore", objectStore).Call("get", recordKey)
	if err := waitFor(ctx, req, "success", "error"); err != nil {
		return js.Value{}, err
	}
	return req.Get("result"), nil
}

// putIfAbsent stores record if db holds none, and returns the one that it then holds.
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

// waitFor waits until the event called success happens at target. Any of the others ends it with
// the target's error.
func waitFor(ctx context.Context, target js.Value, success string, failures ...string) error {
	done := make(chan error, 1+len(failures))
	defer browser.Listen(target, success, func(js.Value) { done <- nil })()
	for _, failure := range failures {
		defer browser.Listen(target, failure, func(js.Value) {
			// To read the error of a request that is still pending throws.
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

// await waits for a promise.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	var fulfilled, rejected js.Func
	settle := func(o outcome) any {
		done <- o
		fulfilled.Release()
		rejected.Release()
		return nil
	}
	fulfilled = js.FuncOf(func(_ js.Value, args []js.Value) any { return settle(outcome{value: args[0]}) })
	rejected = js.FuncOf(func(_ js.Value, args []js.Value) any { return settle(outcome{err: js.Error{Value: args[0]}}) })
	promise.Call("then", fulfilled, rejected)
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return js.Value{}, context.Cause(ctx)
	}
}
