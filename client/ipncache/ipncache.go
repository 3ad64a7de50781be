// Package ipncache keeps the netmap of Tailscale's own client in a netmapcache.
// A node whose control plane can't be reached then starts from the cache, with its routes,
// names, packet filter and relay, and reaches its peers.
//
// The package is an extension (package ipnext) of ipnlocal.LocalBackend, and so of tsnet.Server, tailscaled and
// clients in a browser. A program calls [Register] once, before it makes its first backend:
//
//	func init() {
//		ipncache.Register(ipncache.Options{Open: ipncache.ProfileDir, Always: true})
//	}
//
// From then on every backend that is started loads its profile's netmap, unless control is faster, and
// saves the changes of the netmap. When the backend is shut down, it saves what is pending. Without [Options].Always, nothing is
// saved unless the tailnet's control asks for it by the attribute cache-network-maps.
//
// Build the program with the tag ts_omit_cachenetmap, which leaves out LocalBackend's own cache.
// Without the tag, LocalBackend's own cache comes first, and both save.
//
// With the tag, "tailscale debug clear-netmap-cache" does nothing, since LocalBackend has no hook there. Call [Clear] instead.
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

// name is the name of the extension.
const name = "netmapcache"

// Options say where and when netmaps are kept.
type Options struct {
	// Open returns the store for a login profile of a backend, or nil if the profile's netmap shouldn't be
	// kept. If Open returns the same store for several profiles, they replace each other's netmap there. Open is called
	// from a goroutine that holds no lock, when the profile becomes the current one for the first time. If it fails, it is called again, with growing
	// pauses. If it returned nil, it is called when the profile becomes the current one again. [Clear] also calls it,
	// for profiles that weren't in use. ipncache doesn't close the store.
	Open func(ctx context.Context, lb *ipnlocal.LocalBackend, profile ipn.ProfileID) (store.Store, error)

	// Always keeps the netmap unless control forbids it by the attribute
	// disable-cache-network-maps. If Always is false, the netmap is kept only as long as control
	// asks for it by the attribute cache-network-maps, and removed when control no longer does. LocalBackend itself does so too.
	Always bool

	// MaxAge bounds how old a netmap may be that a backend starts from. The age counts from when the netmap was last known to be
	// current. For an older netmap the event Restored has the error netmapcache.ErrExpired. Zero means no
	// bound. A netmap that Tailscale's own cache has stored has no age, and is not restored if there is a bound.
	MaxAge time.Duration

	// Delay is the time from a change until the netmap is saved, as in [netmapcache.WithWriteBehind]. 0 stands for 5
	// seconds. LocalBackend doesn't announce some changes, such as that of the packet filter. ipncache looks for these every 5 seconds.
	Delay time.Duration

	// Interval is the least time between two saves that have something to write, as
	// in [netmapcache.WithCommitInterval]. 0 stands for 30 seconds. A crash loses no change that is older. Shutdown waits for neither.
	Interval time.Duration

	// OnEvent, if not nil, is called with the outcome of everything that ipncache does, one call at a time and in
	// order. err is nil if it succeeded. OnEvent must not block. The backend logs errors in any case. An
	// error that repeats is reported once, until there is another error or a success.
	OnEvent func(lb *ipnlocal.LocalBackend, e Event, err error)
}

func (o *Options) delay() time.Duration { return cmp.Or(o.Delay, 5*time.Second) }

func (o *Options) interval() time.Duration { return cmp.Or(o.Interval, 30*time.Second) }

// An Event says what ipncache has done for a backend.
type Event string

const (
	// Restored: the backend has the cached netmap. If there was no usable netmap, the error satisfies
	// errors.Is(err, [netmapcache.ErrCacheNotAvailable]).
	Restored Event = "restored"

	// Saving: ipncache is about to hand the backend's netmap to the cache, which saves it after a while.
	Saving Event = "saving"

	// Saved: the cache has saved all that the backend had at the last Saving. After an error it tries again, with pauses
	// that grow to five minutes.
	Saved Event = "saved"

	// Discarded: the cache was emptied, because control doesn't allow the netmap to be kept, the
	// profile was removed, or installing the cached netmap panicked.
	Discarded Event = "discarded"
)

// Register makes backends that are created from now on keep their netmap. Call it once,
// before the first backend is created, and not concurrently. It panics if it is called twice, or if Open is nil.
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
