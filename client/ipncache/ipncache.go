// Package ipncache keeps the netmap of Tailscale's own client in a netmapcache:
// a node whose control plane can't be reached comes up from the cache, with its routes,
// names, packet filter and relay, and reaches its peers.
//
// It is an extension (package ipnext) of ipnlocal.LocalBackend, hence of tsnet.Server, tailscaled and
// clients in a browser alike. A program calls [Register] once, before it makes its first backend:
//
//	func init() {
//		ipncache.Register(ipncache.Options{Open: ipncache.ProfileDir, Always: true})
//	}
//
// From then on every backend that is started loads its profile's netmap, unless control is faster, and
// saves what changes of it. Shutting the backend down saves what is pending. Without [Options].Always nothing is
// saved of a tailnet whose control doesn't ask for that by the attribute cache-network-maps.
//
// The program is built with the tag ts_omit_cachenetmap, which leaves out the cache that LocalBackend has
// itself. Without the tag that one comes first, and both save.
//
// With the tag, "tailscale debug clear-netmap-cache" does nothing, since LocalBackend has no hook there. [Clear] does what it did.
package ipncache

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnext"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/types/logger"
)

// name is that of the extension.
const name = "netmapcache"

// Options say where netmaps are kept, and when.
type Options struct {
	// Open returns the store for a login profile of a backend, or nil if its netmap isn't to be
	// kept. Profiles that return the same store replace each other's netmap there. Open is called
	// from a goroutine that holds no lock, when the profile becomes the current one for the first time, and again, with growing
	// pauses, as long as it fails. If it returned nil it is called when the profile becomes the current one again. [Clear] calls it
	// too, for profiles that weren't in use. The store is not closed.
	Open func(ctx context.Context, lb *ipnlocal.LocalBackend, profile ipn.ProfileID) (store.Store, error)

	// Always keeps the netmap unless control forbids it by the attribute
	// disable-cache-network-maps. Otherwise, as LocalBackend does itself, it is kept only as long as control
	// asks for that by the attribute cache-network-maps, and removed when it no longer does.
	Always bool

	// MaxAge bounds how old a netmap may be that a backend starts from: the restored event of an older one
	// has the error netmapcache.ErrExpired. It is counted from when the netmap was last known to be current. Zero is no
	// bound. A netmap that Tailscale's own cache has stored tells no age, and is not restored if there is a bound.
	MaxAge time.Duration

	// Delay is how long after a change the netmap is saved, as by [netmapcache.WithWriteBehind]; 0 stands for 5
	// seconds. LocalBackend tells nobody of some changes, such as that of the packet filter: these are looked for every 5 seconds.
	Delay time.Duration

	// Interval is how much time passes at least between two saves that have something to write, while changes go on, as
	// by [netmapcache.WithCommitInterval]; 0 stands for 30 seconds. A crash loses no change that is older. Shutdown waits for neither.
	Interval time.Duration

	// OnEvent, if not nil, is told the outcome of everything that is done, one at a time and in
	// order: err is nil if it succeeded. It must not block. Errors are logged by the backend in any case. An
	// error that repeats is told once, until there is another or a success.
	OnEvent func(lb *ipnlocal.LocalBackend, e Event, err error)
}

func (o *Options) delay() time.Duration { return cmp.Or(o.Delay, 5*time.Second) }

func (o *Options) interval() time.Duration { return cmp.Or(o.Interval, 30*time.Second) }

// An Event is a thing done for a backend.
type Event string

const (
	// Restored: the backend has the cached netmap. The error satisfies
	// errors.Is(err, [netmapcache.ErrCacheNotAvailable]) if there was none that can be used.
	Restored Event = "restored"

	// Saving: what the backend has now is about to be handed to the cache, which saves it after a while.
	Saving Event = "saving"

	// Saved: the cache has saved all that the backend had at the last Saving. After an error it is tried again, with pauses
	// that grow to five minutes.
	Saved Event = "saved"

	// Discarded: the cache was emptied, because control doesn't want the netmap to be kept, the
	// profile was removed, or installing the cached netmap panicked.
	Discarded Event = "discarded"
)

// Register makes the backends that are created from now on keep their netmap. It must be
// called before the first is created, not concurrently, and once: it panics the second time, and if Open is nil.
func Register(opts Options) {
	if opts.Open == nil {
		panic("ipncache: Options.Open is nil")
	}
	ipnext.RegisterExtension(name, func(logf logger.Logf, b ipnext.SafeBackend) (ipnext.Extension, error) {
		lb, ok := b.(*ipnlocal.LocalBackend)
		if !ok {
			return nil, fmt.Errorf("%w: %T is no LocalBackend", ipnext.SkipExtension, b)
		}
		return newExtension(logf, lb, opts), nil
	})
}
