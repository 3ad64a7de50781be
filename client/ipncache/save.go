package ipncache

import (
	"context"

	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// save stores the backend's netmap in the cache, or empties the cache if control doesn't allow the netmap to be kept.
func (w *worker) save(ctx context.Context, l *login) {
	if w.cache == nil {
		return
	}
	w.report(Saving, nil)
	nm := w.netmap(l)
	switch {
	case nm == nil:
	case w.keep(nm):
		w.store(ctx, nm)
	case !w.cache.cleared:
		w.discard(ctx)
	}
}

// netmap returns the netmap that the backend has from control. It returns nil if the backend has none, or one of another node than that of l.
func (w *worker) netmap(l *login) *netmap.NetworkMap {
	nm := w.lb.NetMapWithPeers()
	if nm == nil || nm.Cached || !nm.SelfNode.Valid() || nm.NodeKey != w.lb.NodeKey() || !w.still(l) {
		return nil
	}
	return nm
}

// keep reports whether user and control allow nm to be kept.
func (w *worker) keep(nm *netmap.NetworkMap) bool {
	return allowed() &&
		!nm.HasCap(tailcfg.NodeAttrDisableCacheNetworkMaps) &&
		(w.opts.Always || nm.HasCap(tailcfg.NodeAttrCacheNetworkMaps))
}

// store hands nm to the cache, which stores it in the background.
func (w *worker) store(ctx context.Context, nm *netmap.NetworkMap) {
	w.cache.cleared = false
	if err := w.cache.Store(ctx, w.withHomeDERP(nm)); err != nil {
		w.report(Saved, err)
		return
	}
	w.cache.unsaved++
}

// discard empties the cache.
func (w *worker) discard(ctx context.Context) {
	err := w.empty(ctx, w.cache)
	w.live = w.live || err != nil // so that it is tried again
	w.report(Discarded, err)
}

// withHomeDERP returns nm with this node's home relay in its self node, if the relay is known. Only magicsock
// knows it, and gets it back when the netmap is restored. LocalBackend's own cache does the same.
func (w *worker) withHomeDERP(nm *netmap.NetworkMap) *netmap.NetworkMap {
	home := w.noted().homeDERP
	if nm.DERPMap == nil || home == int64(nm.SelfNode.HomeDERP()) {
		return nm
	}
	self := nm.SelfNode.AsStruct()
	setInt(&self.HomeDERP, home)
	if nm.DERPMap.Regions[self.HomeDERP] == nil {
		return nm
	}
	patched := *nm
	patched.SelfNode = self.View()
	return &patched
}

// setInt sets *to, whose type differs between versions of tailscale.com.
func setInt[T ~int | ~int64](to *T, value int64) { *to = T(value) }
