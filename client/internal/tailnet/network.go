// Package tailnet is a small tailnet that lives in one process: a model of a
// network that changes over time, and a control server that tells clients of it
// over the real protocol.
package tailnet

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/netmap"
	"tailscale.com/types/opt"
)

// Network is the model that full maps and deltas are both rendered from, so that a
// client which follows the deltas ends up with what a new client is told at once.
//
// Nodes and profiles in it are never changed, only replaced: responses that
// are still being sent refer to them. It is safe for concurrent use.
type Network struct {
	base          *netmap.NetworkMap // what never changes, and the pattern of the self nodes
	registrations atomic.Int64       // how often nodes have registered, signed in or logged out

	mu      sync.Mutex
	rng     *rand.Rand
	size    int                              // the number of peers to stay close to
	present map[tailcfg.NodeID]*tailcfg.Node // the peers
	absent  []*tailcfg.Node                  // nodes that may appear, oldest departure first
	users   map[tailcfg.UserID]tailcfg.UserProfile
	filter  []tailcfg.FilterRule
	dns     tailcfg.DNSConfig
	streams map[*stream]struct{}

	natives    []nativePeer
	clients    map[tailcfg.NodeID]*client // by the ID under which control knows them, which outlives a node key
	removed    map[key.NodePublic]bool    // the keys of browsers that were removed
	expired    map[key.NodePublic]bool    // the keys of browsers that have expired
	approval   bool                       // browsers that join have to be approved
	browsers   int                        // how many have joined
	fixedRules int                        // the first rules of filter, which never change
}

// stream is one client's map poll. Its channel is closed when the client has
// fallen so far behind that it had better ask again.
type stream struct {
	client *client
	deltas chan *tailcfg.MapResponse
}

// streamBacklog is how many deltas may wait for a slow client.
const streamBacklog = 256

// New returns a network that looks like nm. Its first peers, as many as size tells,
// are there from the start, the rest may appear later. With the same seed the
// network goes through the same changes.
func New(nm *netmap.NetworkMap, size int, seed uint64) *Network {
	n := &Network{
		base:    nm,
		rng:     rand.New(rand.NewPCG(seed, 0)),
		dns:     *nm.DNS.Clone(),
		streams: map[*stream]struct{}{},
		clients: map[tailcfg.NodeID]*client{},
		removed: map[key.NodePublic]bool{},
		expired: map[key.NodePublic]bool{},
	}
	n.fillLocked(nm, size)
	return n
}

// Refill replaces peers, users and filter by those of nm, as New takes them. Every client's poll ends,
// so that it asks for all of the network anew, in which it is the same device as before.
func (n *Network) Refill(nm *netmap.NetworkMap, size int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fillLocked(nm, size)
	for s := range n.streams {
		close(s.deltas)
	}
	clear(n.streams)
}

func (n *Network) fillLocked(nm *netmap.NetworkMap, size int) {
	n.present = map[tailcfg.NodeID]*tailcfg.Node{}
	n.absent = nil
	for _, view := range nm.Peers {
		p := view.AsStruct()
		// A filter that lets such peers in, as the rules here do, has Tailscale's client reject everything.
		p.UnsignedPeerAPIOnly = false
		if len(n.present) < size {
			n.present[p.ID] = p
		} else {
			n.absent = append(n.absent, p)
		}
	}
	n.size = len(n.present)
	n.users = map[tailcfg.UserID]tailcfg.UserProfile{}
	for id, u := range nm.UserProfiles {
		n.users[id] = *u.AsStruct()
	}
	self := n.base.SelfNode.User()
	if u, ok := n.base.UserProfiles[self]; ok {
		n.users[self] = *u.AsStruct()
	}
	n.filter = nil
	for _, r := range nm.PacketFilterRules.All() {
		n.filter = append(n.filter, r)
	}
	for i, p := range n.natives {
		n.openLocked(i, p)
	}
	n.fixedRules = len(n.filter)
}

// Registrations returns how often nodes have registered, signed in again or logged out.
func (n *Network) Registrations() int64 { return n.registrations.Load() }

// Size returns the number of peers that are present.
func (n *Network) Size() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.present)
}

// watch returns the full map for a client, and a stream of all changes
// after it. The stream must be given back to unwatch.
func (n *Network) watch(c *client) (*tailcfg.MapResponse, *stream) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := &stream{client: c, deltas: make(chan *tailcfg.MapResponse, streamBacklog)}
	n.streams[s] = struct{}{}
	return n.fullMapLocked(c), s
}

func (n *Network) unwatch(s *stream) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.streams, s)
}

// publishLocked hands a change of the model to every client that sees the model.
func (n *Network) publishLocked(mr *tailcfg.MapResponse) {
	n.sendLocked(mr, func(c *client) bool { return !c.native() })
}

// sendLocked hands a change to those clients that it is for.
func (n *Network) sendLocked(mr *tailcfg.MapResponse, to func(*client) bool) {
	for s := range n.streams {
		if !to(s.client) {
			continue
		}
		select {
		case s.deltas <- mr:
		default:
			close(s.deltas)
			delete(n.streams, s)
		}
	}
}

func (n *Network) fullMapLocked(c *client) *tailcfg.MapResponse {
	if c.native() {
		return n.nativeMapLocked(c)
	}
	now := time.Now().UTC()
	mr := &tailcfg.MapResponse{
		Node:                      c.self,
		Peers:                     slices.SortedFunc(maps.Values(n.present), byID),
		DNSConfig:                 n.dns.Clone(),
		DERPMap:                   n.base.DERPMap,
		Domain:                    n.base.Domain,
		DomainDataPlaneAuditLogID: n.base.DomainAuditLogID,
		CollectServices:           opt.NewBool(n.base.CollectServices),
		PacketFilter:              n.filter,
		SSHPolicy:                 n.base.SSHPolicy,
		ControlTime:               &now,
	}
	if c.waiting {
		mr.Peers, mr.UserProfiles = nil, nil
		return mr
	}
	mr.Peers = append(mr.Peers, n.clientPeersLocked(c)...)
	for _, id := range slices.Sorted(maps.Keys(n.users)) {
		mr.UserProfiles = append(mr.UserProfiles, n.users[id])
	}
	for id, m := range n.base.DisplayMessages {
		if mr.DisplayMessages == nil {
			mr.DisplayMessages = map[tailcfg.DisplayMessageID]*tailcfg.DisplayMessage{}
		}
		mr.DisplayMessages[id] = &m
	}
	return mr
}

func byID(a, b *tailcfg.Node) int { return cmp.Compare(a.ID, b.ID) }
