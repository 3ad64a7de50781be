//go:build js && wasm

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"syscall/js"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"github.com/netmapcache/netmapcache/wasm/netmapjson"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// A cache is a [netmapcache.Cache] and the store that it owns.
type cache struct {
	*netmapcache.Cache
	database *idbstore.Store
}

// options is the argument of the method "open".
type options struct {
	Database string
	Owner    string
	MaxAge   float64 // milliseconds; 0 for no limit
}

// openCache opens a cache as the options in the call's argument say. Changed is called
// after each change of the snapshot by a call on it.
func openCache(call call, changed func()) (*cache, error) {
	opts, err := argument(call, decodeJSON[options])
	if err != nil {
		return nil, err
	}
	database, err := idbstore.Open(call.ctx, opts.Database)
	if err != nil {
		return nil, err
	}
	maxAge := time.Duration(opts.MaxAge * float64(time.Millisecond))
	return &cache{
		Cache:    netmapcache.NewCache(tellingStore{database, changed}, netmapcache.WithOwner(opts.Owner), netmapcache.WithMaxAge(maxAge)),
		database: database,
	}, nil
}

// methods are the calls that a module can make on an open cache.
var methods = map[string]func(c *cache, call call) (any, error){
	"store": func(c *cache, call call) (any, error) {
		return nil, with(call, netmapjson.Unmarshal, func(nm *netmap.NetworkMap) error { return c.Store(call.ctx, nm) })
	},

	"updateSelf": func(c *cache, call call) (any, error) {
		return nil, with(call, netmapjson.Unmarshal, func(nm *netmap.NetworkMap) error { return c.UpdateSelfOnly(call.ctx, nm) })
	},

	"updatePeers": func(c *cache, call call) (any, error) {
		type update struct {
			Update json.RawMessage
			Remove []tailcfg.StableNodeID
		}
		return nil, with(call, decodeJSON[update], func(u update) error {
			peers, err := netmapjson.UnmarshalNodes(u.Update)
			if err != nil {
				return fmt.Errorf("%w: %w", errArgument, err)
			}
			return c.UpdatePeers(call.ctx, peers, u.Remove)
		})
	},

	"updateUserProfiles": func(c *cache, call call) (any, error) {
		return nil, with(call, netmapjson.UnmarshalProfiles, func(profiles map[tailcfg.UserID]tailcfg.UserProfileView) error {
			return c.UpdateUserProfiles(call.ctx, profiles)
		})
	},

	"updatePacketFilter": func(c *cache, call call) (any, error) {
		return nil, with(call, decodeJSON[[]tailcfg.FilterRule], func(rules []tailcfg.FilterRule) error {
			return c.UpdatePacketFilter(call.ctx, views.SliceOf(rules))
		})
	},

	// The module asks for this only of what upstream's package stored.
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

	"close": func(c *cache, call call) (any, error) {
		return nil, c.database.Close()
	},
}

// argument returns what the JSON text in the argument of a call holds.
func argument[T any](call call, decode func([]byte) (T, error)) (T, error) {
	v, err := decode([]byte(call.argument.String()))
	if err != nil {
		err = fmt.Errorf("%w: %w", errArgument, err)
	}
	return v, err
}

// with calls do with what the JSON text in the argument of a call holds.
func with[T any](call call, decode func([]byte) (T, error), do func(T) error) error {
	v, err := argument(call, decode)
	if err != nil {
		return err
	}
	return do(v)
}

func decodeJSON[T any](text []byte) (v T, err error) {
	err = json.Unmarshal(text, &v)
	return v, err
}

// database is another name for the store, since a field Store would hide the method.
type database = idbstore.Store

// A tellingStore is an [idbstore.Store] that tells of its changes.
type tellingStore struct {
	*database
	changed func()
}

// Commit implements [store.Committer].
func (s tellingStore) Commit(ctx context.Context, ch store.Change) error {
	err := s.database.Commit(ctx, ch)
	if err == nil && len(ch.Put)+len(ch.Remove) > 0 {
		s.changed()
	}
	return err
}
