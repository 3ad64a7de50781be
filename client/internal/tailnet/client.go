package tailnet

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// client is a node that has joined the network from outside, as against the model's. It is either
// a native peer, whose name the network was told, or a browser. Browsers have the model's peers
// and the native ones; native peers have everyone who joined, and not the model's.
type client struct {
	name string        // of a native peer; empty for a browser
	self *tailcfg.Node // replaced, never changed

	waiting bool // for approval
}

func (c *client) native() bool { return c.name != "" }

// sees reports whether other is a peer of c.
func (c *client) sees(other *client) bool { return c != other && (c.native() || other.native()) }

// webPort is where native peers serve their pages.
const webPort = 80

// nativePeer is one that may join.
type nativePeer struct {
	name    string // of the host
	trusted bool   // browsers accept its connections to port 80
}

// AddNative lets clients whose host name is name join as the native peer of that name. If trusted, browsers
// accept connections from it to port 80, and otherwise none. It must be called before anyone joins.
func (n *Network) AddNative(name string, trusted bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := nativePeer{name, trusted}
	n.openLocked(len(n.natives), p)
	n.natives = append(n.natives, p)
	n.fixedRules = len(n.filter)
}

// openLocked adds the rule for a native peer, the ith, to the filter, if it is to have one.
func (n *Network) openLocked(i int, p nativePeer) {
	if p.trusted {
		n.filter = append(n.filter, tailcfg.FilterRule{
			SrcIPs:   []string{nativeAddr(i).String()},
			DstPorts: []tailcfg.NetPortRange{{IP: "*", Ports: tailcfg.PortRange{First: webPort, Last: webPort}}},
		})
	}
}

// nativeAddr returns the address of the ith native peer: browsers count from the other end.
func nativeAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{100, 127, 255, byte(1 + i)}) }

// join returns the client that a request comes from, brought up to what the request says, and tells its peers of that.
func (n *Network) join(registered *tailcfg.Node, req *tailcfg.MapRequest) *client {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.clients[registered.ID] // not by machine: the profiles of one are different nodes
	if c == nil {
		c = n.newClientLocked(registered)
		n.clients[registered.ID] = c
	}
	self := c.self.Clone()
	if self.Key != req.NodeKey {
		self.Key = req.NodeKey
		if !c.native() {
			self.KeyExpiry = time.Now().UTC().Truncate(time.Second).AddDate(0, 6, 0)
		}
	}
	self.Cap = req.Version
	if !req.Stream { // what a poll says beyond that may be old
		self.DiscoKey = cmp.Or(req.DiscoKey, self.DiscoKey)
		self.Endpoints = req.Endpoints
	}
	if req.Hostinfo != nil {
		self.Hostinfo = req.Hostinfo.View()
		if info := self.Hostinfo.NetInfo(); info.Valid() && info.PreferredDERP() != 0 {
			self.HomeDERP = info.PreferredDERP()
		}
	}
	if self.HomeDERP != c.self.HomeDERP {
		n.sendLocked(&tailcfg.MapResponse{Node: self}, func(to *client) bool { return to == c })
	}
	c.self = self
	n.sendLocked(&tailcfg.MapResponse{PeersChanged: []*tailcfg.Node{c.asPeer()}}, func(to *client) bool { return to.sees(c) })
	return c
}

// newClientLocked returns a client as it is before it has said anything. The first browser gets the place of
// the self node that the network was made with; others get one like it with an identity of their own.
func (n *Network) newClientLocked(registered *tailcfg.Node) *client {
	self := n.base.SelfNode.AsStruct()
	self.Machine = registered.Machine
	_, suffix, _ := strings.Cut(self.Name, ".")
	c := &client{self: self}
	if registered.Hostinfo.Valid() {
		isIt := func(p nativePeer) bool { return p.name == registered.Hostinfo.Hostname() }
		if i := slices.IndexFunc(n.natives, isIt); i >= 0 {
			c.name = n.natives[i].name
			self.ID -= tailcfg.NodeID(nativeIDs + i) // the peers have greater ones
			self.StableID = tailcfg.StableNodeID(c.name + "-native")
			self.Name = c.name + "." + suffix
			self.Addresses = []netip.Prefix{netip.PrefixFrom(nativeAddr(i), 32)}
			self.AllowedIPs = self.Addresses
			self.Hostinfo, self.CapMap, self.KeySignature = registered.Hostinfo, nil, nil
			self.KeyExpiry = time.Time{} // never
			return c
		}
	}
	c.waiting, self.MachineAuthorized = n.approval, !n.approval
	n.browsers++
	if nth := n.browsers; nth > 1 {
		self.ID -= tailcfg.NodeID(nth)
		self.StableID = tailcfg.StableNodeID(fmt.Sprintf("%s-%d", self.StableID, nth))
		self.Name = fmt.Sprintf("device-%d.%s", nth, suffix)
		self.Addresses = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 127, byte(nth >> 8), byte(nth)}), 32)}
		self.AllowedIPs = self.Addresses
	}
	return c
}

// ExpireKeys lets the node keys of all browsers expire, and returns them. Who signs in again has a new one.
func (n *Network) ExpireKeys() (expired []key.NodePublic) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.clients {
		if c.native() {
			continue
		}
		self := c.self.Clone()
		self.KeyExpiry = time.Now().UTC().Truncate(time.Second).Add(-time.Second)
		c.self = self
		n.expired[self.Key] = true
		expired = append(expired, self.Key)
		n.sendLocked(&tailcfg.MapResponse{Node: self}, func(to *client) bool { return to == c })
	}
	return expired
}

// nativeIDs is how far below the self node's the IDs of native peers are.
const nativeIDs = 100_000

// asPeer returns c as its peers see it.
func (c *client) asPeer() *tailcfg.Node {
	p := c.self.Clone()
	online := true
	p.Online = &online
	p.CapMap, p.KeySignature, p.DataPlaneAuditLogID = nil, nil, ""
	return p
}

// clientPeersLocked returns those of c's peers that have joined.
func (n *Network) clientPeersLocked(c *client) []*tailcfg.Node {
	var peers []*tailcfg.Node
	for _, other := range n.clients {
		if c.sees(other) {
			peers = append(peers, other.asPeer())
		}
	}
	return slices.SortedFunc(slices.Values(peers), byID)
}

// nativeMapLocked returns the full map of a native peer: whoever has joined, and all doors open.
func (n *Network) nativeMapLocked(c *client) *tailcfg.MapResponse {
	now := time.Now().UTC()
	return &tailcfg.MapResponse{
		Node:         c.self,
		Peers:        n.clientPeersLocked(c),
		DNSConfig:    &tailcfg.DNSConfig{},
		DERPMap:      n.base.DERPMap,
		Domain:       n.base.Domain,
		PacketFilter: tailcfg.FilterAllowAll,
		UserProfiles: []tailcfg.UserProfile{n.users[c.self.User]},
		ControlTime:  &now,
	}
}
