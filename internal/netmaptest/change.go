package netmaptest

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"

	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/util/dnsname"
)

// clone returns a netmap that shares everything with nm except its list of peers.
func clone(nm *netmap.NetworkMap) *netmap.NetworkMap {
	c := *nm
	c.Peers = slices.Clone(nm.Peers)
	return &c
}

// nodeOf returns a copy of the node of v. AsStruct isn't exact: in a CapMap it
// turns a nil slice into an empty one.
func nodeOf(v tailcfg.NodeView) *tailcfg.Node {
	v = deepCopy(v)
	return field(addressable(reflect.ValueOf(v)), 0).Interface().(*tailcfg.Node)
}

// WithPeerChanged returns nm with peer i replaced: it has other endpoints,
// another home DERP region and another disco key, which differ for every seed.
func WithPeerChanged(nm *netmap.NetworkMap, i int, seed uint64) *netmap.NetworkMap {
	b := changer(seed)
	c := clone(nm)
	n := nodeOf(nm.Peers[i])
	n.Endpoints = b.endpoints()
	setRegion(&n.HomeDERP, 1+int(n.HomeDERP)%len(cities))
	n.DiscoKey = b.discoKey()
	c.Peers[i] = n.View()
	return c
}

// WithPeersAdded returns nm with n new peers and their users. Their IDs, names and
// addresses differ from those in nm, and the IDs are greater.
func WithPeersAdded(nm *netmap.NetworkMap, n int, seed uint64) *netmap.NetworkMap {
	b := changer(seed)
	c := clone(nm)
	for _, p := range slices.Concat(nm.Peers, []tailcfg.NodeView{nm.SelfNode}) {
		b.lastNode = max(b.lastNode, p.ID())
		b.stable[p.StableID()] = true
		b.names[dnsname.FirstLabel(p.Name())] = true
		for _, a := range p.Addresses().All() {
			if a.Addr().Is4() {
				v4 := a.Addr().As4()
				b.lastIP = max(b.lastIP, binary.BigEndian.Uint32(v4[:]))
			}
		}
	}
	b.routers = len(nm.Peers) / 4 * 4 // at least as many as there are
	for id := range nm.UserProfiles {
		b.lastUser = max(b.lastUser, id)
	}
	b.users(max(1, n/3))
	for range n {
		c.Peers = append(c.Peers, b.peer().View())
	}
	c.UserProfiles = maps.Clone(nm.UserProfiles)
	b.addProfiles(c)
	return c
}

// WithPeersRemoved returns nm without the peers at the given indices. The users'
// profiles stay.
func WithPeersRemoved(nm *netmap.NetworkMap, indices ...int) *netmap.NetworkMap {
	c := *nm
	c.Peers = nil
	for i, p := range nm.Peers {
		if !slices.Contains(indices, i) {
			c.Peers = append(c.Peers, p)
		}
	}
	return &c
}

// WithSelfChanged returns nm with another home DERP region and other endpoints
// in the self node.
func WithSelfChanged(nm *netmap.NetworkMap, seed uint64) *netmap.NetworkMap {
	c := *nm
	n := nodeOf(nm.SelfNode)
	n.Endpoints = changer(seed).endpoints()
	setRegion(&n.HomeDERP, 1+int(n.HomeDERP)%len(cities))
	c.SelfNode = n.View()
	return &c
}

// WithUserChanged returns nm with a new display name for the user.
func WithUserChanged(nm *netmap.NetworkMap, id tailcfg.UserID, seed uint64) *netmap.NetworkMap {
	c := *nm
	c.UserProfiles = maps.Clone(nm.UserProfiles)
	up := nm.UserProfiles[id].AsStruct()
	up.DisplayName = fmt.Sprintf("User %d", seed)
	c.UserProfiles[id] = up.View()
	return &c
}

// WithFilterChanged returns nm with one more filter rule.
func WithFilterChanged(nm *netmap.NetworkMap, seed uint64) *netmap.NetworkMap {
	b := changer(seed)
	c := *nm
	rules := append(nm.PacketFilterRules.AsSlice(), tailcfg.FilterRule{
		SrcIPs:   []string{b.addresses()[0].Addr().String()},
		DstPorts: []tailcfg.NetPortRange{{IP: "*", Ports: tailcfg.PortRange{First: 443, Last: uint16(443 + b.IntN(60000))}}},
	})
	c.PacketFilterRules = views.SliceOf(rules)
	c.PacketFilter = mustMatches(rules)
	return &c
}

// changer returns a builder whose random values differ from those of Realistic.
func changer(seed uint64) *builder {
	b := newBuilder(madeAt, seed)
	b.Rand = rand.New(rand.NewPCG(seed, 'c'))
	return b
}

// FreshPointers returns an equal copy of nm, unexported fields included. It shares
// no memory with nm, as after a new connection to the control plane.
func FreshPointers(nm *netmap.NetworkMap) *netmap.NetworkMap { return deepCopy(nm) }

// byID orders peers by ID.
func byID(a, b tailcfg.NodeView) int { return cmp.Compare(a.ID(), b.ID()) }
