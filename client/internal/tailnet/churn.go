package tailnet

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tailscale.com/tailcfg"
)

// A Kind is a kind of change that a network goes through.
type Kind string

// The kinds of change, and how control tells of them.
const (
	PeerOnline    Kind = "peer online or offline" // patch
	PeerEndpoints Kind = "peer endpoints"         // patch
	PeerRelay     Kind = "peer home relay"        // patch
	PeerTags      Kind = "peer tags"              // whole node
	PeerAppears   Kind = "peer appears"           // whole node, and its user
	PeerLeaves    Kind = "peer leaves"            // ID
	UserRenamed   Kind = "user renamed"           // profile
	FilterChanged Kind = "packet filter"          // all rules
	DNSChanged    Kind = "DNS records"            // whole DNS configuration; the client makes a full netmap of it
)

// churn is the mix of changes: one of them is picked at random for each step,
// so that the often repeated are the likely ones.
var churn = []Kind{
	PeerOnline, PeerOnline, PeerOnline, PeerOnline,
	PeerEndpoints, PeerEndpoints, PeerEndpoints,
	PeerRelay, PeerTags, PeerAppears, PeerLeaves,
	UserRenamed, FilterChanged, DNSChanged,
}

// Churn makes a change every so often, until ctx ends.
func (n *Network) Churn(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			n.mu.Lock()
			kind := churn[n.rng.IntN(len(churn))]
			n.changeLocked(kind)
			n.mu.Unlock()
		}
	}
}

// Change makes one change of the given kind and tells the clients of it. It
// reports whether there was anything to change: an empty network stays as it is.
func (n *Network) Change(kind Kind) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changeLocked(kind)
}

func (n *Network) changeLocked(kind Kind) bool {
	if n.size == 0 || len(n.users) == 0 || len(n.base.DERPMap.RegionIDs()) == 0 {
		return false
	}
	var mr *tailcfg.MapResponse
	switch kind {
	case PeerOnline:
		mr = n.patchPeerLocked(func(p *tailcfg.Node) *tailcfg.PeerChange {
			online := p.Online == nil || !*p.Online
			now := time.Now().UTC()
			p.Online, p.LastSeen = &online, &now
			return &tailcfg.PeerChange{NodeID: p.ID, Online: &online, LastSeen: &now}
		})
	case PeerEndpoints:
		mr = n.patchPeerLocked(func(p *tailcfg.Node) *tailcfg.PeerChange {
			addr := netip.AddrFrom4([4]byte{192, 168, byte(n.rng.IntN(256)), byte(1 + n.rng.IntN(254))})
			p.Endpoints = []netip.AddrPort{netip.AddrPortFrom(addr, uint16(1024+n.rng.IntN(60000)))}
			return &tailcfg.PeerChange{NodeID: p.ID, Endpoints: p.Endpoints}
		})
	case PeerRelay:
		regions := n.base.DERPMap.RegionIDs()
		mr = n.patchPeerLocked(func(p *tailcfg.Node) *tailcfg.PeerChange {
			p.HomeDERP = regions[n.rng.IntN(len(regions))]
			return &tailcfg.PeerChange{NodeID: p.ID, DERPRegion: p.HomeDERP}
		})
	case PeerTags:
		p := n.clonePeerLocked()
		p.Tags = toggle(p.Tags, "tag:maintenance")
		n.present[p.ID] = p
		mr = &tailcfg.MapResponse{PeersChanged: []*tailcfg.Node{p}}
	case PeerAppears:
		mr = n.appearLocked()
	case PeerLeaves:
		mr = n.leaveLocked()
	case UserRenamed:
		ids := slices.Sorted(maps.Keys(n.users))
		u := n.users[ids[n.rng.IntN(len(ids))]]
		name, away := strings.CutSuffix(u.DisplayName, " (away)")
		if !away {
			name += " (away)"
		}
		u.DisplayName = name
		n.users[u.ID] = u
		mr = &tailcfg.MapResponse{UserProfiles: []tailcfg.UserProfile{u}}
	case FilterChanged:
		mr = n.changeFilterLocked()
	case DNSChanged:
		mr = n.changeDNSLocked()
	default:
		panic("unknown kind of change: " + string(kind))
	}
	if mr == nil {
		return false
	}
	n.publishLocked(mr)
	return true
}

// clonePeerLocked returns a copy of a peer picked at random, to be changed and put back.
func (n *Network) clonePeerLocked() *tailcfg.Node {
	return n.cloneLocked(slices.Sorted(maps.Keys(n.present)))
}

// cloneLocked returns a copy of one of these peers.
func (n *Network) cloneLocked(ids []tailcfg.NodeID) *tailcfg.Node {
	return n.present[ids[n.rng.IntN(len(ids))]].Clone()
}

// patchPeerLocked changes a peer picked at random. Those with an expired key aren't heard of any more.
func (n *Network) patchPeerLocked(change func(*tailcfg.Node) *tailcfg.PeerChange) *tailcfg.MapResponse {
	expired := func(id tailcfg.NodeID) bool {
		p := n.present[id]
		return p.Expired || !p.KeyExpiry.IsZero() && p.KeyExpiry.Before(time.Now())
	}
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(n.present)), expired)
	if len(ids) == 0 {
		return nil
	}
	p := n.cloneLocked(ids)
	patch := change(p)
	n.present[p.ID] = p
	return &tailcfg.MapResponse{PeersChangedPatch: []*tailcfg.PeerChange{patch}}
}

// appearLocked brings back the node that has been away for longest, unless the
// network is full. Control sends the profiles of its users along with the node.
func (n *Network) appearLocked() *tailcfg.MapResponse {
	if len(n.absent) == 0 || len(n.present) > n.size {
		return nil
	}
	p := n.absent[0]
	n.absent = n.absent[1:]
	n.present[p.ID] = p
	mr := &tailcfg.MapResponse{PeersChanged: []*tailcfg.Node{p}}
	for _, id := range []tailcfg.UserID{p.User, p.Sharer} {
		if u, ok := n.users[id]; ok {
			mr.UserProfiles = append(mr.UserProfiles, u)
		}
	}
	return mr
}

func (n *Network) leaveLocked() *tailcfg.MapResponse {
	if len(n.present) < n.size || len(n.present) == 1 {
		return nil
	}
	p := n.clonePeerLocked()
	delete(n.present, p.ID)
	n.absent = append(n.absent, p)
	return &tailcfg.MapResponse{PeersRemoved: []tailcfg.NodeID{p.ID}}
}

// changeFilterLocked moves the port that one rule, which the network has for this purpose, opens.
func (n *Network) changeFilterLocked() *tailcfg.MapResponse {
	port := uint16(8000 + n.rng.IntN(1000))
	moving := tailcfg.FilterRule{
		SrcIPs:   []string{"100.64.0.0/10"},
		DstPorts: []tailcfg.NetPortRange{{IP: "*", Ports: tailcfg.PortRange{First: port, Last: port}}},
	}
	n.filter = append(slices.Clip(n.filter[:n.fixedRules]), moving)
	return &tailcfg.MapResponse{PacketFilter: n.filter}
}

// changeDNSLocked moves the address that one record, which the network has for this purpose, points to.
func (n *Network) changeDNSLocked() *tailcfg.MapResponse {
	records := len(n.base.DNS.ExtraRecords)
	moving := tailcfg.DNSRecord{
		Name:  "status." + n.base.Domain,
		Value: fmt.Sprintf("100.100.%d.%d", n.rng.IntN(256), n.rng.IntN(256)),
	}
	n.dns.ExtraRecords = append(slices.Clip(n.dns.ExtraRecords[:records]), moving)
	return &tailcfg.MapResponse{DNSConfig: n.dns.Clone()}
}

// toggle returns a copy of list that has item if list has not, and has not if list has.
func toggle(list []string, item string) []string {
	if i := slices.Index(list, item); i >= 0 {
		return slices.Delete(slices.Clone(list), i, i+1)
	}
	return append(slices.Clone(list), item)
}
