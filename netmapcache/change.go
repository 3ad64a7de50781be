package netmapcache

import (
	"maps"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// A change turns the snapshot that is stored when it commits into the next snapshot.
// It contains only what its calls named. So it applies to whatever is stored by then, and
// several changes compose into one. The fields apply in this order. A nil field
// changes nothing.
type change struct {
	calls int // how many calls it was made from

	// replace makes a whole snapshot. Its argument is the last snapshot that the Cache knows
	// of, or nil. The result shares with it what is equal.
	replace func(last *snapshot) *snapshot
	stamp   *format.Root // if not nil, the owner and the times to store the snapshot with

	self   *netmap.NetworkMap // all of it except peers and users
	filter *views.Slice[tailcfg.FilterRule]
	peers  map[tailcfg.StableNodeID]peerEdit
	users  map[tailcfg.UserID]tailcfg.UserProfileView
}

// A peerEdit is what happens to the peers of one stable ID. First all of them are removed if remove is
// true. Then each peer of add is added, or replaces a peer.
type peerEdit struct {
	remove bool
	add    []tailcfg.NodeView // no two have the same ID
}

func storing(nm *netmap.NetworkMap) *change {
	return &change{replace: func(last *snapshot) *snapshot { return last.with(nm) }}
}

func updatingSelf(nm *netmap.NetworkMap) *change {
	return &change{self: nm}
}

func updatingPeers(update []tailcfg.NodeView, remove []tailcfg.StableNodeID) *change {
	edits := make(map[tailcfg.StableNodeID]peerEdit, len(update)+len(remove))
	for _, p := range update {
		if p.Valid() {
			edits[p.StableID()] = edits[p.StableID()].then(peerEdit{add: []tailcfg.NodeView{p}})
		}
	}
	for _, id := range remove {
		edits[id] = peerEdit{remove: true}
	}
	return &change{peers: edits}
}

func updatingUsers(update map[tailcfg.UserID]tailcfg.UserProfileView) *change {
	ch := &change{users: make(map[tailcfg.UserID]tailcfg.UserProfileView, len(update))}
	for id, u := range update {
		if u.Valid() {
			ch.users[id] = u
		}
	}
	return ch
}

func updatingFilter(rules views.Slice[tailcfg.FilterRule]) *change {
	return &change{filter: &rules}
}

// next returns the snapshot that ch makes of base, which is nil if nothing is stored. Its only error is errNoBase.
func (ch *change) next(base *snapshot) (*snapshot, error) {
	next := base
	switch {
	case ch.replace != nil:
		next = ch.replace(base)
	case base == nil && ch.self == nil:
		return nil, errNoBase
	}
	if ch.self != nil {
		next = next.withSelf(ch.self)
	}
	if ch.filter != nil {
		next = next.withFilter(*ch.filter)
	}
	if len(ch.peers) > 0 {
		next = next.withPeers(ch.peers)
	}
	if len(ch.users) > 0 {
		next = next.withUsers(ch.users)
	}
	return next, nil
}

// then returns a change that does what ch does and then what later does. A nil ch
// does nothing. Neither may be used afterwards.
func (ch *change) then(later *change) *change {
	if ch == nil {
		return later
	}
	later.calls += ch.calls
	if later.replace != nil {
		return later
	}
	ch.calls = later.calls
	if later.self != nil {
		ch.self, ch.filter = later.self, nil
	}
	if later.filter != nil {
		ch.filter = later.filter
	}
	if ch.peers == nil {
		ch.peers = later.peers
	} else {
		for id, e := range later.peers {
			ch.peers[id] = ch.peers[id].then(e)
		}
	}
	if ch.users == nil {
		ch.users = later.users
	} else {
		maps.Copy(ch.users, later.users)
	}
	return ch
}

// then returns an edit that does what e does and then what later does.
func (e peerEdit) then(later peerEdit) peerEdit {
	if later.remove {
		return later
	}
	for _, p := range later.add {
		kept := e.add[:0:0]
		for _, q := range e.add {
			if q.ID() != p.ID() {
				kept = append(kept, q)
			}
		}
		e.add = append(kept, p)
	}
	return e
}

// size returns how many peers and users ch names. They take most of its memory.
func (ch *change) size() int { return len(ch.peers) + len(ch.users) }

// apply returns what e makes of peers, the peers of one part that have the stable ID id. If there are several,
// which doesn't happen in a sane netmap, an added peer replaces the one that also has
// its ID. If none has its ID, it replaces all. An empty stable ID identifies nothing, so then the ID
// alone decides.
func (e peerEdit) apply(id tailcfg.StableNodeID, peers []tailcfg.NodeView) []tailcfg.NodeView {
	stored := make(map[tailcfg.NodeID]bool, len(peers))
	for _, p := range peers {
		stored[p.ID()] = true
	}
	added := make(map[tailcfg.NodeID]tailcfg.NodeView, len(e.add))
	removed := e.remove
	for _, p := range e.add {
		_, again := added[p.ID()]
		if id != "" && !again && (removed || !stored[p.ID()]) {
			removed = true
			clear(added)
		}
		added[p.ID()] = p
	}
	var next []tailcfg.NodeView
	for _, p := range peers {
		if _, ok := added[p.ID()]; !ok && !removed {
			next = append(next, p)
		}
	}
	for _, p := range added {
		next = append(next, p)
	}
	return next
}
