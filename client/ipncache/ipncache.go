// Package ipncache keeps the netmap of Tailscale's own client in a netmapcache:
// a node whose control plane can't be reached comes up from the cache, with its routes,
// names, packet filter and relay, and reaches its peers.
//
// It is an extension (package ipnext) of ipnlocal.LocalBackend, hence of tsnet.Server, tailscaled and
// clients in a browser alike. A program calls [Register] once, before it makes its first backend:
//
//	func init() {
//		ipncache.Register(ipncache.Options{Open: ipncache.ProfileDir})
//	}
//
// From then on every backend that is started loads its profile's netmap, unless control is faster, and
// saves every change of it. Shutting the backend down saves what is pending.
//
// The program is built with the tag ts_omit_cachenetmap, which leaves out the cache that LocalBackend has
// itself. Without the tag that one comes first, and both save.
package ipncache

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/control/controlclient"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnext"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/tailcfg"
	"tailscale.com/types/logger"
	"tailscale.com/types/netmap"
	"tailscale.com/util/eventbus"
	"tailscale.com/wgengine/magicsock"
)

// name is that of the extension.
const name = "netmapcache"

// Options say where netmaps are kept, and when.
type Options struct {
	// Open returns the store for a login profile of a backend, or nil if its netmap isn't to be
	// kept. Profiles that return the same store replace each other's netmap there. Open is called
	// from a goroutine that holds no lock, whenever the profile has become the current one.
	// The store is not closed.
	Open func(ctx context.Context, lb *ipnlocal.LocalBackend, profile ipn.ProfileID) (store.Store, error)

	// Always keeps the netmap unless control forbids it by the attribute
	// disable-cache-network-maps. Otherwise, as LocalBackend does itself, it is kept only as long as control
	// asks for that by the attribute cache-network-maps, and removed when it no longer does.
	Always bool

	// OnEvent, if not nil, is told the outcome of everything that is done, one at a time and in
	// order: err is nil if it succeeded. It must not block. Errors are logged by the backend in any case.
	OnEvent func(lb *ipnlocal.LocalBackend, e Event, err error)
}

// An Event is a thing done for a backend.
type Event string

const (
	// Restored: the backend has the cached netmap. The error satisfies
	// errors.Is(err, [netmapcache.ErrCacheNotAvailable]) if there was none that can be used.
	Restored Event = "restored"

	// Saving: what the backend has now is about to be saved.
	Saving Event = "saving"

	// Saved: the cache has all that the backend had when the saving began. After an error it is tried again.
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

// extension follows one backend. Its hooks, which run with the backend locked, only take notes and
// wake a goroutine of its own that does the work.
type extension struct {
	lb   *ipnlocal.LocalBackend
	opts Options
	logf logger.Logf

	wake   chan struct{} // holds a token if there is something new to look at
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended
	bus    *eventbus.Client

	discoKey *eventbus.Publisher[magicsock.NewDiscoKeyAvailable] // has the engine tell a peer this node's disco key

	homeDERP atomic.Int64 // region that magicsock last made its home; 0 if none yet

	mu      sync.Mutex
	profile ipn.ProfileID
	control controlclient.Client // that a netmap is to be restored for; nil if none
	changed bool                 // the netmap has changed since it was last saved
	first   *netmap.NetworkMap   // that the backend got when it had none; nil while it has none

	// WireGuard sessions that began while control was away, and whether the peer was told this
	// node's disco key; nil when control is there.
	sessions map[tailcfg.StableNodeID]bool
}

func newExtension(logf logger.Logf, lb *ipnlocal.LocalBackend, opts Options) *extension {
	return &extension{
		lb:   lb,
		opts: opts,
		logf: logger.WithPrefix(logf, name+": "),
		wake: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
}

// Name implements [ipnext.Extension].
func (e *extension) Name() string { return name }

// Init implements [ipnext.Extension]. The backend calls it when it is first started.
func (e *extension) Init(h ipnext.Host) error {
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.bus = e.lb.Sys().Bus.Get().Client(name)
	eventbus.SubscribeFunc(e.bus, e.homeDERPChanged)
	e.discoKey = eventbus.Publish[magicsock.NewDiscoKeyAvailable](e.bus)
	hooks := h.Hooks()
	hooks.NewControlClient.Add(e.newControlClient)
	hooks.ProfileStateChange.Add(e.profileChanged)
	hooks.OnNetMapToggle.Add(e.netMapToggled)
	hooks.MutateNotifyLocked.Add(e.notified)
	go e.run()
	return nil
}

// Shutdown implements [ipnext.Extension].
func (e *extension) Shutdown() error {
	e.bus.Close()
	e.cancel()
	<-e.done
	return nil
}

// note changes what the goroutine looks at, and wakes it.
func (e *extension) note(change func()) {
	e.mu.Lock()
	change()
	e.mu.Unlock()
	e.wakeUp()
}

// wakeUp has the goroutine look.
func (e *extension) wakeUp() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *extension) newControlClient(cc controlclient.Client, profile ipn.LoginProfileView) (cleanup func()) {
	e.note(func() {
		e.profile = profile.ID()
		e.control = cc
	})
	return nil
}

func (e *extension) profileChanged(profile ipn.LoginProfileView, _ ipn.PrefsView, _ bool) {
	e.note(func() { e.profile = profile.ID() })
}

func (e *extension) netMapToggled(nm *netmap.NetworkMap) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.first = nm
}

// notified is called for all that the backend tells the programs that watch it. Being
// a watcher of peers oneself would have the backend copy every peer for it at each full netmap.
func (e *extension) notified(n *ipn.Notify) {
	if n.SelfChange != nil || len(n.PeersChanged) > 0 || len(n.PeersRemoved) > 0 ||
		len(n.PeerChangedPatch) > 0 || len(n.UserProfiles) > 0 {
		e.note(func() { e.changed = true })
	}
	e.noteSessions(n.PeerState)
}

func (e *extension) homeDERPChanged(c magicsock.HomeDERPChanged) {
	e.homeDERP.Store(int64(c.New))
	e.note(func() { e.changed = true })
}

// report tells of what was done.
func (e *extension) report(event Event, err error) {
	if err != nil {
		e.logf("not %s: %v", event, err)
	}
	if e.opts.OnEvent != nil {
		e.opts.OnEvent(e.lb, event, err)
	}
}
