//go:build js && wasm

package main

import (
	"bytes"
	"slices"
	"syscall/js"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"tailscale.com/tailcfg"
	"tailscale.com/types/views"
)

// A cache is a [netmapcache.Cache] and the store that it owns.
type cache struct {
	*netmapcache.Cache
	store       timedStore
	maxAge      time.Duration
	loaded      func(read, decode time.Duration)
	unsubscribe func()

	// turn holds a token while no call loads. It guards kept.
	turn chan struct{}
	kept *kept // what was loaded last, or nil
}

// events are what happens to a cache that the module is told of.
type events struct {
	changed func(own bool)
	loaded  func(read, decode time.Duration)
}

// options is the argument of the method "open".
type options struct {
	Database string
	Owner    string
	MaxAge   float64 // milliseconds; 0 for no limit
}

// openCache opens a cache as the options in the call's argument say. Events
// are reported until it is closed.
func openCache(call call, events events) (*cache, error) {
	var opts options
	if err := unmarshal(call.argument, &opts); err != nil {
		return nil, err
	}
	store, err := idbstore.Open(call.ctx, opts.Database)
	if err != nil {
		return nil, err
	}
	c := &cache{
		store:       timedStore{database: store, committed: func() { events.changed(true) }, waited: new(time.Duration)},
		maxAge:      time.Duration(opts.MaxAge * float64(time.Millisecond)),
		loaded:      events.loaded,
		unsubscribe: store.Subscribe(func() { events.changed(false) }),
		turn:        make(chan struct{}, 1),
	}
	c.turn <- struct{}{}
	c.Cache = netmapcache.NewCache(c.store, netmapcache.WithOwner(opts.Owner), netmapcache.WithMaxAge(c.maxAge))
	return c, nil
}

func (c *cache) close() error {
	c.unsubscribe()
	return c.store.Close()
}

// methods are the calls that a module can make on an open cache.
var methods = map[string]func(c *cache, call call) (any, error){
	"load": func(c *cache, call call) (any, error) {
		arg := struct{ Peers bool }{true}
		if err := unmarshal(call.argument, &arg); err != nil {
			return nil, err
		}
		k, err := c.current(call.ctx)
		if err != nil {
			return nil, err
		}
		if arg.Peers {
			for peers := range slices.Chunk(k.netmap.Peers, peersAtOnce) {
				text, err := marshal(nodesOf(peers))
				if err != nil {
					return nil, err
				}
				call.part(text)
			}
		}
		return marshalNetmap(k.netmap, arg.Peers)
	},

	"stream": func(c *cache, call call) (any, error) {
		return nil, c.stream(call)
	},

	"peers": func(c *cache, call call) (any, error) {
		var arg struct {
			Offset, Limit int
			Search        string
		}
		if err := unmarshal(call.argument, &arg); err != nil {
			return nil, err
		}
		k, err := c.current(call.ctx)
		if err != nil {
			return nil, err
		}
		peers := k.matching(arg.Search)
		total := len(peers)
		peers = peers[min(arg.Offset, total):]
		peers = peers[:min(arg.Limit, len(peers))]
		return marshal(struct {
			Total int     `json:"total"`
			Peers []*node `json:"peers"`
		}{total, nodesOf(peers)})
	},

	"info": func(c *cache, call call) (any, error) {
		info, err := c.Info(call.ctx)
		if err != nil {
			return nil, err
		}
		return map[string]any{
			"savedAt":     info.SavedAt.UnixMilli(),
			"confirmedAt": info.ConfirmedAt.UnixMilli(),
			"owner":       info.Owner,
			"peers":       info.Peers,
			"users":       info.Users,
			"columns":     info.Columns,
			"bytes":       info.Bytes,
			"generation":  info.Generation,
			"upstream":    info.Upstream,
		}, nil
	},

	"store": func(c *cache, call call) (any, error) {
		nm, err := unmarshalNetmap(call.argument)
		if err != nil {
			return nil, err
		}
		return nil, c.Store(call.ctx, nm)
	},

	"updateSelf": func(c *cache, call call) (any, error) {
		nm, err := unmarshalNetmap(call.argument)
		if err != nil {
			return nil, err
		}
		return nil, c.UpdateSelfOnly(call.ctx, nm)
	},

	"updatePeers": func(c *cache, call call) (any, error) {
		var arg struct {
			Update []*node
			Remove []tailcfg.StableNodeID
		}
		if err := unmarshal(call.argument, &arg); err != nil {
			return nil, err
		}
		update, err := nodeViews(arg.Update)
		if err != nil {
			return nil, err
		}
		return nil, c.UpdatePeers(call.ctx, update, arg.Remove)
	},

	"updateUserProfiles": func(c *cache, call call) (any, error) {
		var profiles map[tailcfg.UserID]*profile
		if err := unmarshal(call.argument, &profiles); err != nil {
			return nil, err
		}
		update, err := profileViews(profiles)
		if err != nil {
			return nil, err
		}
		return nil, c.UpdateUserProfiles(call.ctx, update)
	},

	"updatePacketFilter": func(c *cache, call call) (any, error) {
		var rules []tailcfg.FilterRule
		if err := unmarshal(call.argument, &rules); err != nil {
			return nil, err
		}
		return nil, c.UpdatePacketFilter(call.ctx, views.SliceOf(rules))
	},

	"export": func(c *cache, call call) (any, error) {
		var data bytes.Buffer
		if err := c.Export(call.ctx, &data); err != nil {
			return nil, err
		}
		array := js.Global().Get("Uint8Array").New(data.Len())
		js.CopyBytesToJS(array, data.Bytes())
		return array, nil
	},

	"import": func(c *cache, call call) (any, error) {
		data := make([]byte, call.argument.Length())
		js.CopyBytesToGo(data, call.argument)
		return nil, c.Import(call.ctx, bytes.NewReader(data))
	},

	"clear": func(c *cache, call call) (any, error) {
		return nil, c.Clear(call.ctx)
	},

	"close": func(c *cache, call call) (any, error) {
		return nil, c.close()
	},
}
