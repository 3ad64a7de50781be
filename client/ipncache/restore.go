package ipncache

import (
	"errors"
	"fmt"
	"slices"

	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/control/controlclient"
	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// errAsked says that a cached netmap is of no use, since control has been reached and asks for a login.
var errAsked = fmt.Errorf("a login is needed: %w", netmapcache.ErrCacheNotAvailable)

// restore gives the backend the cached netmap, if it has none, once for each control client.
func (w *worker) restore(l *login) {
	if w.cache == nil || l.control == nil || w.tried == l || !allowed() {
		return
	}
	w.tried = l
	if w.hasNetmap() {
		return
	}
	nm, err := w.load()
	switch { // check again, since loading may be slow
	case w.ctx.Err() != nil || !w.still(l) || w.hasNetmap():
		return // shut down, another login, or control was faster
	case w.lb.State() == ipn.NeedsLogin:
		err = errAsked
	case err == nil && (nm.NodeKey.IsZero() || nm.NodeKey != w.lb.NodeKey()):
		// The profile may have got another key meanwhile, or the store may belong to another profile.
		err = fmt.Errorf("node key differs: %w", netmapcache.ErrWrongOwner)
	}
	if err == nil {
		w.install(l, nm)
	}
	w.report(Restored, err)
}

// hasNetmap reports whether the backend has a netmap of its node. (If the user switches profiles during an installation, the backend
// may end up with the other profile's netmap.)
func (w *worker) hasNetmap() bool {
	nm := w.lb.NetMapNoPeers()
	return nm != nil && !(nm.Cached && nm.NodeKey != w.lb.NodeKey())
}

// load returns the cached netmap. If Tailscale's own cache has stored it, it has no owner. It was nevertheless stored for the
// profile, and the caller compares the node key.
func (w *worker) load() (*netmap.NetworkMap, error) {
	nm, err := w.cache.Load(w.ctx)
	if errors.Is(err, netmapcache.ErrWrongOwner) && w.opts.MaxAge <= 0 {
		if info, infoErr := w.cache.Info(w.ctx); infoErr == nil && info.Upstream {
			return w.cache.upstream.Load(w.ctx)
		}
	}
	return nm, err
}

// install gives nm to the backend as if it came from l's control client. LocalBackend does the same for its own
// cache, but without a control client, which is possible only before it has its first one.
func (w *worker) install(l *login, nm *netmap.NetworkMap) {
	installed := false
	defer func() {
		if !installed { // it panicked, and would do so again at the next start
			w.discard(w.ctx)
		}
	}()
	nm.Peers = slices.Clone(nm.Peers) // the backend replaces those that have expired
	w.note(func(n *notes) { n.sessions = map[tailcfg.StableNodeID]bool{} })
	w.lb.SetControlClientStatus(l.control, controlclient.Status{NetMap: nm, LoggedIn: true})
	installed = true

	// After the last check, control may have sent its first netmap or asked for a login, and the cached
	// netmap has just replaced that. Then restart, which asks control again.
	n := w.noted()
	replaced := n.first != nm || n.asked && w.lb.StatusWithoutPeers().AuthURL == ""
	if replaced && n.login == l && w.lb.NetMapNoPeers() == nm {
		if err := w.lb.Start(ipn.Options{}); err != nil {
			w.logf("restart: %v", err)
		}
	}
}

// stayHome makes magicsock use the home relay in nm, which is being installed. Peers expect this
// node there, since without control nothing can tell them of another relay. Magicsock keeps its home as long as there is no
// connection to control. LocalBackend does the same for its own cache, and also has its health tracker say that there is none, which here
// may not be so: control's first answer may have come, and its netmap be next.
func (e *extension) stayHome(nm *netmap.NetworkMap) {
	if !nm.SelfNode.Valid() || nm.DERPMap == nil {
		return
	}
	home := nm.SelfNode.HomeDERP()
	if nm.DERPMap.Regions[home] == nil {
		return
	}
	e.lb.MagicConn().SetDERPMapWithoutReSTUN(nm.DERPMap)
	e.lb.MagicConn().ForceSetNearestDERP(home)
}
