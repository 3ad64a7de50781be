//go:build js && wasm

package main

import (
	"context"
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
	store       *idbstore.Store
	unsubscribe func()
}

// options is the argument of the method "open".
type options struct {
	Database string
	Owner    string
	MaxAge   float64 // milliseconds; 0 for no limit
}

// openCache opens a cache as the options in argument say. Until it is closed,
// changed is called after each change of the stored snapshot.
func openCache(ctx context.Context, argument js.Value, changed func()) (*cache, error) {
	var opts options
	if err := unmarshal(argument, &opts); err != nil {
		return nil, err
	}
	store, err := idbstore.Open(ctx, opts.Database)
	if err != nil {
		return nil, err
	}
	var o []netmapcache.Option
	if opts.Owner != "" {
		o = append(o, netmapcache.WithOwner(opts.Owner))
	}
	if opts.MaxAge > 0 {
		o = append(o, netmapcache.WithMaxAge(time.Duration(opts.MaxAge*float64(time.Millisecond))))
	}
	return &cache{
		Cache:       netmapcache.NewCache(store, o...),
		store:       store,
		unsubscribe: store.Subscribe(changed),
	}, nil
}

func (c *cache) close() error {
	c.unsubscribe()
	return c.store.Close()
}

// methods are the calls that a module can make on an open cache.
var methods = map[string]func(c *cache, ctx context.Context, argument js.Value) (any, error){
	"load": func(c *cache, ctx context.Context, _ js.Value) (any, error) {
		nm, err := c.Load(ctx)
		if err != nil {
			return nil, err
		}
		return marshalNetmap(nm)
	},

	"info": func(c *cache, ctx context.Context, _ js.Value) (any, error) {
		info, err := c.Info(ctx)
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

	"store": func(c *cache, ctx context.Context, argument js.Value) (any, error) {
		nm, err := unmarshalNetmap(argument)
		if err != nil {
			return nil, err
		}
		return nil, c.Store(ctx, nm)
	},

	"updateSelf": func(c *cache, ctx context.Context, argument js.Value) (any, error) {
		nm, err := unmarshalNetmap(argument)
		if err != nil {
			return nil, err
		}
		return nil, c.UpdateSelfOnly(ctx, nm)
	},

	"updatePeers": func(c *cache, ctx context.Context, argument js.Value) (any, error) {
		var arg struct {
			Update []*node
			Remove []tailcfg.StableNodeID
		}
		if err := unmarshal(argument, &arg); err != nil {
			return nil, err
		}
		update, err := nodeViews(arg.Update)
		if err != nil {
			return nil, err
		}
		return nil, c.UpdatePeers(ctx, update, arg.Remove)
	},

	"updateUserProfiles": func(c *cache, ctx context.Context, argument js.Value) (any, error) {
		var profiles map[tailcfg.UserID]*profile
		if err := unmarshal(argument, &profiles); err != nil {
			return nil, err
		}
		update, err := profileViews(profiles)
		if err != nil {
			return nil, err
		}
		return nil, c.UpdateUserProfiles(ctx, update)
	},

	"updatePacketFilter": func(c *cache, ctx context.Context, argument js.Value) (any, error) {
		var rules []tailcfg.FilterRule
		if err := unmarshal(argument, &rules); err != nil {
			return nil, err
		}
		return nil, c.UpdatePacketFilter(ctx, views.SliceOf(rules))
	},

	"clear": func(c *cache, ctx context.Context, _ js.Value) (any, error) {
		return nil, c.Clear(ctx)
	},

	"close": func(c *cache, _ context.Context, _ js.Value) (any, error) {
		return nil, c.close()
	},
}
