//go:build js

package idbstore

import (
	"context"
	"fmt"
	"syscall/js"
	"testing"

	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// run calls an asynchronous JavaScript function with the given body and the
// arguments a, b and c, and returns its result.
func run(body string, args ...any) (js.Value, error) {
	function := js.Global().Call("eval", fmt.Sprintf("(async (a, b, c) => { %s })", body))
	return browser.Await(context.Background(), function.Invoke(args...))
}

func mustRun(t *testing.T, body string, args ...any) js.Value {
	t.Helper()
	v, err := run(body, args...)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return v
}

// connect opens a connection to a database, as somebody else would who keeps it open
// whatever others want.
func connect(t *testing.T, database string, version int, objectStore string) js.Value {
	t.Helper()
	db := mustRun(t, `
		const request = indexedDB.open(a, b);
		request.onupgradeneeded = () => request.result.createObjectStore(c);
		return new Promise((resolve, reject) => {
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => reject(request.error);
		})`, database, version, objectStore)
	t.Cleanup(func() { db.Call("close") })
	return db
}

// evaluate has the factory of a store be the object that a JavaScript expression gives.
func evaluate(expression string) func() (js.Value, error) {
	return func() (js.Value, error) { return run("return " + expression) }
}

// bucket has a store keep its database in a storage bucket of at most quota bytes. To
// delete a bucket closes connections just as clearing a site's data does. It skips the
// test in browsers other than Chromium, which have no buckets.
func bucket(t *testing.T, name string, quota int) (factory func() (js.Value, error), remove func()) {
	if js.Global().Get("navigator").Get("storageBuckets").IsUndefined() {
		t.Skip("this browser has no storage buckets")
	}
	remove = func() { mustRun(t, `await navigator.storageBuckets.delete(a)`, name) }
	t.Cleanup(remove)
	return func() (js.Value, error) {
		return run(`return (await navigator.storageBuckets.open(a, {quota: b})).indexedDB`, name, quota)
	}, remove
}
