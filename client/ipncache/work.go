package ipncache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/control/controlclient"
	"tailscale.com/envknob"
	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// lookEvery is how often the netmap is looked at unasked while control may change it: the backend tells
// nobody of a new packet filter, or of a peer's new endpoints or home relay.
var lookEvery = 5 * time.Second

// restFactor is how many times as long as a save took the next one waits, so that saving a
// netmap that changes all the time takes a fifth of the time at most.
const restFactor = 4

// finishTimeout bounds what shutting down waits for.
const finishTimeout = 5 * time.Second

// cache is that of a login profile.
type cache struct {
	*netmapcache.Cache
	profile ipn.ProfileID
	owner   string
	cleared bool // since anything was last saved
}

// run does what the hooks ask for, one thing at a time, until the backend is shut down.
func (e *extension) run() {
	defer close(e.done)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var (
		c    *cache
		live bool             // control could change the netmap when last looked
		rest <-chan time.Time // for how long not to save; nil if not at all
	)
	for {
		select {
		case <-e.ctx.Done():
			e.finish(c, live)
			return
		case <-e.wake:
		case <-rest:
			rest = nil
		case <-ticker.C:
			if live = e.lb.HealthTracker().GetInPollNetMap(); live {
				e.setChanged(true)
			}
		}
		if c = e.current(e.ctx, c); c == nil {
			continue
		}
		if cc := e.takeControl(); cc != nil {
			e.restore(c, cc)
		}
		e.tendSessions()
		if rest == nil && e.setChanged(false) {
			began := time.Now()
			e.save(e.ctx, c)
			rest = time.After(restFactor * time.Since(began))
		}
	}
}

// setChanged says whether the netmap has changed since it was last saved, and returns what was so before.
func (e *extension) setChanged(changed bool) (before bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before, e.changed = e.changed, changed
	return before
}

// takeControl returns the control client that a netmap is to be restored for, once.
func (e *extension) takeControl() controlclient.Client {
	e.mu.Lock()
	defer e.mu.Unlock()
	cc := e.control
	e.control = nil
	return cc
}

// current returns the cache of the current profile, or nil if there is none. That is
// c, if c is of the same profile. Otherwise c is of no more use, and emptied if its profile is gone.
func (e *extension) current(ctx context.Context, c *cache) *cache {
	e.mu.Lock()
	profile := e.profile
	e.mu.Unlock()
	owner := e.lb.Prefs().ControlURLOrDefault(e.lb.PolicyClient())
	if c != nil && c.profile == profile && c.owner == owner {
		return c
	}
	if c != nil && e.removed(c.profile) {
		e.discard(ctx, c)
	}
	if profile == "" {
		return nil // new, and never logged in
	}
	s, err := e.opts.Open(ctx, e.lb, profile)
	if err != nil {
		e.report(Restored, fmt.Errorf("open the store: %w", err))
		return nil
	}
	if s == nil {
		return nil
	}
	return &cache{
		Cache:   netmapcache.NewCache(s, netmapcache.WithOwner(owner)),
		profile: profile,
		owner:   owner,
	}
}

// removed reports whether there is no such profile any more.
func (e *extension) removed(profile ipn.ProfileID) bool {
	return !slices.ContainsFunc(e.lb.ListProfiles(), func(p ipn.LoginProfileView) bool { return p.ID() == profile })
}

// restore gives the backend the cached netmap, if it has none.
func (e *extension) restore(c *cache, cc controlclient.Client) {
	if !allowed() || e.lb.NetMapNoPeers() != nil {
		return
	}
	nm, err := e.load(c)
	if e.ctx.Err() != nil || e.lb.NetMapNoPeers() != nil { // control was faster
		return
	}
	if err == nil {
		e.install(c, cc, nm)
	}
	e.report(Restored, err)
}

// load returns the cached netmap if it is of the very node that the backend is. The same
// profile may have got another key since, or the same store may have had another profile.
func (e *extension) load(c *cache) (*netmap.NetworkMap, error) {
	nm, err := c.Load(e.ctx)
	if err != nil {
		return nil, err
	}
	if e.lb.Prefs().LoggedOut() {
		return nil, fmt.Errorf("the profile is logged out: %w", netmapcache.ErrWrongOwner)
	}
	if nm.NodeKey.IsZero() || nm.NodeKey != e.lb.NodeKey() {
		return nil, fmt.Errorf("node key differs: %w", netmapcache.ErrWrongOwner)
	}
	return nm, nil
}

// install gives nm to the backend as if it came from cc. LocalBackend does the same with what its own
// cache holds, but without a control client, which is possible only before it has its first.
func (e *extension) install(c *cache, cc controlclient.Client, nm *netmap.NetworkMap) {
	installed := false
	defer func() {
		if !installed { // it panicked, and would again at the next start
			e.discard(e.ctx, c)
		}
	}()
	if home := nm.SelfNode.HomeDERP(); hasRegion(nm, home) {
		// Stay where peers expect this node: without control they can't be told of another home. Magicsock
		// keeps the home it has as long as there is no connection to control.
		e.lb.MagicConn().SetDERPMapWithoutReSTUN(nm.DERPMap)
		e.lb.HealthTracker().SetOutOfPollNetMap()
		e.lb.MagicConn().ForceSetNearestDERP(home)
	}
	e.mu.Lock()
	e.sessions = map[tailcfg.StableNodeID]bool{}
	e.mu.Unlock()
	e.lb.SetControlClientStatus(cc, controlclient.Status{NetMap: nm, LoggedIn: true})
	installed = true

	// Control's first netmap may have come after the last look, and just before the cached one, in place
	// of which it should be. Then ask control for it again.
	e.mu.Lock()
	first := e.first
	e.mu.Unlock()
	if first != nm && e.lb.NetMapNoPeers() == nm {
		if err := e.lb.Start(ipn.Options{}); err != nil {
			e.logf("restart: %v", err)
		}
	}
}

// save brings the cache up to the backend's netmap, or empties it if control doesn't want it to be
// kept. What has not changed since the last time isn't looked into.
func (e *extension) save(ctx context.Context, c *cache) {
	e.report(Saving, nil)
	nm := e.lb.NetMapWithPeers()
	if nm == nil || nm.Cached || !nm.SelfNode.Valid() {
		return
	}
	if nm.NodeKey != e.lb.NodeKey() {
		return // of another profile, to which or from which the backend has just switched
	}
	if !e.wanted(nm) {
		if !c.cleared {
			e.discard(ctx, c)
		}
		return
	}
	c.cleared = false
	err := c.Store(ctx, e.withHomeDERP(nm))
	if err != nil {
		e.setChanged(true)
		if e.ctx.Err() != nil && errors.Is(err, e.ctx.Err()) {
			return // cut short by finish, which saves
		}
	}
	e.report(Saved, err)
}

// discard empties the cache.
func (e *extension) discard(ctx context.Context, c *cache) {
	err := c.Clear(ctx)
	c.cleared = err == nil
	e.report(Discarded, err)
}

// finish leaves the cache of a backend that is being shut down as it should be.
func (e *extension) finish(c *cache, live bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), finishTimeout)
	defer cancel()
	if c = e.current(ctx, c); c == nil {
		return
	}
	switch {
	case e.removed(c.profile): // ephemeral nodes log out
		e.discard(ctx, c)
	case e.setChanged(false) || live:
		e.save(ctx, c)
	}
}

// withHomeDERP returns nm with this node's home relay in its self node, if that is known: magicsock alone
// knows it, and is given it back when the netmap is restored. LocalBackend's own cache does the same.
func (e *extension) withHomeDERP(nm *netmap.NetworkMap) *netmap.NetworkMap {
	home := int(e.homeDERP.Load())
	if !hasRegion(nm, home) || nm.SelfNode.HomeDERP() == home {
		return nm
	}
	self := nm.SelfNode.AsStruct()
	self.HomeDERP = home
	patched := *nm
	patched.SelfNode = self.View()
	return &patched
}

func hasRegion(nm *netmap.NetworkMap, id int) bool {
	return nm.DERPMap != nil && nm.DERPMap.Regions[id] != nil
}

// wanted reports whether control lets nm be kept.
func (e *extension) wanted(nm *netmap.NetworkMap) bool {
	return allowed() &&
		!nm.HasCap(tailcfg.NodeAttrDisableCacheNetworkMaps) &&
		(e.opts.Always || nm.HasCap(tailcfg.NodeAttrCacheNetworkMaps))
}

// allowed reports whether the user lets netmaps be kept, by the variable that LocalBackend heeds too.
func allowed() bool { return envknob.BoolDefaultTrue("TS_USE_CACHED_NETMAP") }
