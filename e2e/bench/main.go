//go:build js && wasm

// Command bench is the part of make bench-web that is written in Go: calls of caches,
// for a page to time. It hands the page an object of functions that return promises.
package main

import (
	"context"
	"fmt"
	"runtime"
	"syscall/js"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// A cache is what upstream's Cache and ours have in common.
type cache interface {
	Load(context.Context) (*netmap.NetworkMap, error)
	Store(context.Context, *netmap.NetworkMap) error
	UpdatePeers(context.Context, []tailcfg.NodeView, []tailcfg.StableNodeID) error
}

func main() {
	b := &bench{stored: memstore.New()}
	functions := js.Global().Get("Object").New()
	for name, fn := range map[string]func(args []js.Value) (any, error){
		"prepare":     b.prepare,
		"entries":     b.entries,
		"open":        b.open,
		"close":       b.close,
		"change":      b.change,
		"collect":     func([]js.Value) (any, error) { runtime.GC(); return nil, nil },
		"store":       func([]js.Value) (any, error) { return nil, b.cache.Store(ctx, b.nm) },
		"updatePeers": func([]js.Value) (any, error) { return nil, b.cache.UpdatePeers(ctx, b.changed(), nil) },
		"load":        func([]js.Value) (any, error) { return b.load(b.newCache(b.opened)) },
		"encode":      func([]js.Value) (any, error) { return nil, b.newCache(memstore.New()).Store(ctx, b.nm) },
		"decode":      func([]js.Value) (any, error) { return b.load(b.newCache(b.stored)) },
	} {
		functions.Set(name, promised(fn))
	}
	js.Global().Call("ready", functions)
	select {}
}

var ctx = context.Background()

type bench struct {
	nm     *netmap.NetworkMap
	stored *memstore.Store // holds a snapshot of nm as prepared
	seed   uint64          // of the last change

	opened   *idbstore.Store
	newCache func(netmapcache.Store) cache
	cache    cache // on opened
}

// prepare(peers) makes a netmap.
func (b *bench) prepare(args []js.Value) (any, error) {
	b.nm = netmaptest.Realistic(args[0].Int(), 1)
	return nil, netmapcache.NewCache(b.stored).Store(ctx, b.nm)
}

// entries() returns the snapshot, as pairs of a key and a Uint8Array.
func (b *bench) entries([]js.Value) (any, error) {
	var pairs []any
	for key, err := range b.stored.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		value, err := b.stored.Load(ctx, key)
		if err != nil {
			return nil, err
		}
		array := js.Global().Get("Uint8Array").New(len(value))
		js.CopyBytesToJS(array, value)
		pairs = append(pairs, []any{key, array})
	}
	return pairs, nil
}

// open(kind, database, owner) makes a cache of that kind on a database. Only ours
// can have an owner.
func (b *bench) open(args []js.Value) (_ any, err error) {
	owner := ""
	if len(args) > 2 {
		owner = args[2].String()
	}
	b.newCache = func(s netmapcache.Store) cache { return netmapcache.NewCache(s, netmapcache.WithOwner(owner)) }
	if args[0].String() == "upstream" {
		b.newCache = func(s netmapcache.Store) cache { return upstream.NewCache(s) }
	}
	b.opened, err = idbstore.Open(ctx, args[1].String())
	b.cache = b.newCache(b.opened)
	return nil, err
}

func (b *bench) close([]js.Value) (any, error) { return nil, b.opened.Close() }

// change() makes the netmap of a change to come.
func (b *bench) change([]js.Value) (any, error) {
	b.seed++
	b.nm = netmaptest.WithPeerChanged(b.nm, len(b.nm.Peers)/2, b.seed)
	return nil, nil
}

// changed returns the peer that change has changed.
func (b *bench) changed() []tailcfg.NodeView {
	i := len(b.nm.Peers) / 2
	return b.nm.Peers[i : i+1]
}

// load returns the number of peers that c has stored.
func (b *bench) load(c cache) (any, error) {
	nm, err := c.Load(ctx)
	if err != nil {
		return nil, err
	}
	return len(nm.Peers), nil
}

// promised makes of fn a JavaScript function that returns a promise.
func promised(fn func(args []js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		promise := js.Global().Get("Promise").Call("withResolvers")
		go func() {
			result, err := fn(args)
			if err != nil {
				promise.Call("reject", js.Global().Get("Error").New(fmt.Sprint(err)))
				return
			}
			promise.Call("resolve", result)
		}()
		return promise.Get("promise")
	})
}
