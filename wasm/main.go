//go:build js && wasm

// Command wasm writes netmaps for JavaScript: the WebAssembly program behind the
// ES module netmapcache.js, which reads by itself, but starts this program when there is something to
// write, hands it calls and turns its answers into promises. It keeps snapshots in IndexedDB.
//
// Calls cross as messages. The module passes an object named netmapcacheHost as a
// property of the program's global object, which is the program's own, not the
// page's. Its methods are
//
//	ready(call, cancel)              the program runs
//	resolve(id, result)              call id succeeded
//	reject(id, code, message, cause) call id failed
//	changed(cache)                   a call on this cache has changed the snapshot
//
// and the program's are
//
//	call(id, cache, method, argument) begin a call; its answer comes by resolve or reject
//	cancel(id)                        end the context of a call
//
// where id and cache are numbers that the module chooses, and netmaps are JSON
// text, exported snapshots Uint8Arrays. No JavaScript function is made per call or per cache,
// so there is none to release.
package main

import (
	"context"
	"fmt"
	"sync"
	"syscall/js"
)

func main() {
	b := &bridge{
		host:   js.Global().Get("netmapcacheHost"),
		calls:  make(map[int]context.CancelFunc),
		caches: make(map[int]*cache),
	}
	call := js.FuncOf(func(_ js.Value, args []js.Value) any {
		b.begin(args[0].Int(), args[1].Int(), args[2].String(), args[3])
		return nil
	})
	cancel := js.FuncOf(func(_ js.Value, args []js.Value) any {
		b.cancel(args[0].Int())
		return nil
	})
	b.host.Call("ready", call, cancel)
	select {}
}

// A call is what the module asks of a cache.
type call struct {
	ctx      context.Context
	argument js.Value
}

// A bridge runs the calls that the module makes.
type bridge struct {
	host js.Value

	mu     sync.Mutex
	calls  map[int]context.CancelFunc // those under way
	caches map[int]*cache             // those open
}

// begin starts a call and returns at once: a function called by JavaScript
// blocks the event loop until it returns, and with it everything that it could wait for.
func (b *bridge) begin(id, cacheID int, method string, argument js.Value) {
	ctx, cancel := context.WithCancel(context.Background())
	b.mu.Lock()
	b.calls[id] = cancel
	b.mu.Unlock()

	go func() {
		result, err := b.call(cacheID, method, call{ctx, argument})
		b.cancel(id)
		if err != nil {
			b.host.Call("reject", id, errorCode(err), err.Error(), errorCause(err))
			return
		}
		b.host.Call("resolve", id, result)
	}()
}

// cancel ends the context of a call, if it is still under way.
func (b *bridge) cancel(id int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if cancel, ok := b.calls[id]; ok {
		cancel()
		delete(b.calls, id)
	}
}

// call runs one call to its end. Its result is something that [js.ValueOf] takes.
func (b *bridge) call(cacheID int, method string, call call) (any, error) {
	if method == "open" {
		return nil, b.open(cacheID, call)
	}
	b.mu.Lock()
	c, ok := b.caches[cacheID]
	if ok && method == "close" {
		delete(b.caches, cacheID)
	}
	b.mu.Unlock()
	if !ok {
		return nil, errClosed
	}
	run, ok := methods[method]
	if !ok {
		return nil, fmt.Errorf("%w: no method %q", errArgument, method)
	}
	return run(c, call)
}

// open opens the store of a cache and registers the cache as cacheID.
func (b *bridge) open(cacheID int, call call) error {
	c, err := openCache(call, func() { b.host.Call("changed", cacheID) })
	if err != nil {
		return err
	}
	if err := call.ctx.Err(); err != nil {
		// The module has already told its caller that the call was aborted.
		c.database.Close()
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.caches[cacheID] = c
	return nil
}
