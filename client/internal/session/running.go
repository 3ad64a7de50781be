// Package session is a client's session with its control plane: it registers, follows the
// network map, and keeps a cache of it up to date. It has no data plane.
package session

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/util/mak"
	"tailscale.com/wgengine/filter"
)

// sink is told of what changed in a running netmap, in order, after it has changed.
// Its methods must not block.
type sink interface {
	replaced()
	peersChanged(update []tailcfg.NodeView, remove []tailcfg.StableNodeID) // removals come first
	profilesChanged(map[tailcfg.UserID]tailcfg.UserProfileView)
	filterChanged(views.Slice[tailcfg.FilterRule])
}

// running is the netmap of a session with all deltas applied. It is the updater
// that controlclient calls, from one goroutine; netmap may be called from any.
type running struct {
	sink sink

	mu    sync.Mutex
	nm    *netmap.NetworkMap // without peers; its maps are this value's own
	peers map[tailcfg.NodeID]tailcfg.NodeView
}

// netmap returns a netmap of the state so far, or nil if control has sent none.
func (r *running) netmap() *netmap.NetworkMap {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nm == nil {
		return nil
	}
	nm := *r.nm
	nm.UserProfiles = maps.Clone(r.nm.UserProfiles)
	nm.Peers = slices.SortedFunc(maps.Values(r.peers), func(a, b tailcfg.NodeView) int {
		return cmp.Compare(a.ID(), b.ID())
	})
	return &nm
}

// UpdateFullNetmap implements controlclient.NetmapUpdater.
func (r *running) UpdateFullNetmap(nm *netmap.NetworkMap) {
	r.mu.Lock()
	own := *nm
	own.Peers = nil
	own.UserProfiles = maps.Clone(nm.UserProfiles)
	r.nm = &own
	r.peers = make(map[tailcfg.NodeID]tailcfg.NodeView, len(nm.Peers))
	for _, p := range nm.Peers {
		r.peers[p.ID()] = p
	}
	r.mu.Unlock()
	r.sink.replaced()
}

// UpdateNetmapDelta implements controlclient.NetmapDeltaUpdater.
func (r *running) UpdateNetmapDelta(mutations []netmap.NodeMutation) bool {
	r.mu.Lock()
	if r.nm == nil {
		r.mu.Unlock()
		return false
	}
	patched := map[tailcfg.NodeID]*tailcfg.Node{} // not yet in peers: a node may be patched many times over
	var remove []tailcfg.StableNodeID
	changed := map[tailcfg.NodeID]bool{}
	for _, m := range mutations {
		id := m.NodeIDBeingMutated()
		was, known := r.peers[id]
		switch m := m.(type) {
		case netmap.NodeMutationRemove:
			if known {
				remove = append(remove, was.StableID())
				delete(r.peers, id)
			}
			delete(patched, id)
			delete(changed, id)
		case netmap.NodeMutationUpsert:
			r.peers[id] = m.Node
			delete(patched, id)
			changed[id] = true
		default:
			if !known {
				continue
			}
			n, ok := patched[id]
			if !ok {
				n = was.AsStruct()
				patched[id] = n
			}
			m.Apply(n)
			changed[id] = true
		}
	}
	for id, n := range patched {
		r.peers[id] = n.View()
	}
	var update []tailcfg.NodeView
	for id := range changed {
		update = append(update, r.peers[id])
	}
	r.mu.Unlock()
	r.sink.peersChanged(update, remove)
	return true
}

// UpdatePacketFilter implements controlclient.PacketFilterUpdater.
func (r *running) UpdatePacketFilter(rules views.Slice[tailcfg.FilterRule], parsed []filter.Match) bool {
	r.mu.Lock()
	if r.nm == nil {
		r.mu.Unlock()
		return false
	}
	r.nm.PacketFilterRules, r.nm.PacketFilter = rules, parsed
	r.mu.Unlock()
	r.sink.filterChanged(rules)
	return true
}

// UpdateUserProfiles implements controlclient.UserProfileUpdater.
func (r *running) UpdateUserProfiles(profiles map[tailcfg.UserID]tailcfg.UserProfileView) bool {
	r.mu.Lock()
	if r.nm == nil {
		r.mu.Unlock()
		return false
	}
	for id, p := range profiles {
		mak.Set(&r.nm.UserProfiles, id, p)
	}
	r.mu.Unlock()
	r.sink.profilesChanged(profiles)
	return true
}
