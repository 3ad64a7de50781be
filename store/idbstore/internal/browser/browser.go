//go:build js

// Package browser gives access to what the store needs of a browser and go-indexeddb
// doesn't offer: the events of a database and of the request that opens it, the
// names of thrown errors, byte arrays, and BroadcastChannel.
package browser

import (
	"fmt"
	"sync/atomic"
	"syscall/js"
)

var liveFuncs atomic.Int64

// LiveFuncs returns the number of Go functions that this package has handed to
// JavaScript and not yet released.
func LiveFuncs() int { return int(liveFuncs.Load()) }

// Listen calls fn with each event of that name at target until remove is called.
// fn runs on the browser's event loop and must not block. A second call of
// remove does nothing.
func Listen(target js.Value, event string, fn func(event js.Value)) (remove func()) {
	handler := js.FuncOf(func(_ js.Value, args []js.Value) any {
		fn(args[0])
		return nil
	})
	liveFuncs.Add(1)
	target.Call("addEventListener", event, handler)
	removed := false
	return func() {
		if removed {
			return
		}
		removed = true
		target.Call("removeEventListener", event, handler)
		handler.Release()
		liveFuncs.Add(-1)
	}
}

// Try calls fn and returns its results. If JavaScript throws in fn, or syscall/js or
// go-indexeddb panics because of an unexpected value, Try returns that as an error.
func Try[T any](fn func() (T, error)) (result T, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case js.Error:
			err = r
		case *js.ValueError:
			err = r
		case string:
			err = fmt.Errorf("unexpected JavaScript value: %s", r)
		default:
			panic(r)
		}
	}()
	return fn()
}

// Global returns the global variable of that name, in a page or in a worker. The result
// is undefined if there is none. It is an error if the browser refuses access.
func Global(name string) (js.Value, error) {
	return Try(func() (js.Value, error) {
		// Value.Get would let an exception of a getter end the program.
		return js.Global().Get("Reflect").Call("get", js.Global(), name), nil
	})
}
