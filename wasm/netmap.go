//go:build js && wasm

package main

import (
	"fmt"
	"reflect"
	"syscall/js"

	"tailscale.com/tailcfg"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// netmapJSON is a [netmap.NetworkMap] as JavaScript sees it: its fields under
// their own names, less those that follow from others (NodeKey, AllCaps,
// PacketFilter). The fields of tailcfg's types are named by tailcfg.
type netmapJSON struct {
	Cached            bool
	SelfNode          *node
	MachineKey        key.MachinePublic
	Peers             []*node
	DNS               tailcfg.DNSConfig
	PacketFilterRules views.Slice[tailcfg.FilterRule]
	SSHPolicy         *tailcfg.SSHPolicy
	CollectServices   bool
	DERPMap           *tailcfg.DERPMap
	DisplayMessages   map[tailcfg.DisplayMessageID]tailcfg.DisplayMessage
	TKAEnabled        bool
	TKAHead           tka.AUMHash `json:",omitzero"`
	Domain            string
	DomainAuditLogID  string
	UserProfiles      map[tailcfg.UserID]*profile
}

// marshalNetmap returns nm as JSON text, without its peers. With hasPeers, an empty
// list tells of peers that are passed separately.
func marshalNetmap(nm *netmap.NetworkMap, hasPeers bool) (string, error) {
	out := netmapJSON{
		Cached:            nm.Cached,
		SelfNode:          nodeOf(nm.SelfNode),
		MachineKey:        nm.MachineKey,
		DNS:               nm.DNS,
		PacketFilterRules: nm.PacketFilterRules,
		SSHPolicy:         nm.SSHPolicy,
		CollectServices:   nm.CollectServices,
		DERPMap:           nm.DERPMap,
		DisplayMessages:   nm.DisplayMessages,
		TKAEnabled:        nm.TKAEnabled,
		TKAHead:           nm.TKAHead,
		Domain:            nm.Domain,
		DomainAuditLogID:  nm.DomainAuditLogID,
	}
	if hasPeers && nm.Peers != nil {
		out.Peers = []*node{}
	}
	if nm.UserProfiles != nil {
		out.UserProfiles = make(map[tailcfg.UserID]*profile, len(nm.UserProfiles))
		for id, p := range nm.UserProfiles {
			out.UserProfiles[id] = profileOf(p)
		}
	}
	return marshal(out)
}

// unmarshalNetmap returns the netmap whose JSON text is argument. Its self node is
// valid and has a user. The fields that follow from others are not filled in,
// since they are not stored.
func unmarshalNetmap(argument js.Value) (*netmap.NetworkMap, error) {
	var in netmapJSON
	if err := unmarshal(argument, &in); err != nil {
		return nil, err
	}
	if in.SelfNode == nil {
		return nil, fmt.Errorf("%w: netmap has no SelfNode", errArgument)
	}
	if in.SelfNode.User == 0 {
		return nil, fmt.Errorf("%w: netmap has no user: SelfNode.User is zero", errArgument)
	}
	peers, err := nodeViews(in.Peers)
	if err != nil {
		return nil, err
	}
	profiles, err := profileViews(in.UserProfiles)
	if err != nil {
		return nil, err
	}
	return &netmap.NetworkMap{
		Cached:            in.Cached,
		SelfNode:          in.SelfNode.view(),
		MachineKey:        in.MachineKey,
		Peers:             peers,
		DNS:               in.DNS,
		PacketFilterRules: in.PacketFilterRules,
		SSHPolicy:         in.SSHPolicy,
		CollectServices:   in.CollectServices,
		DERPMap:           in.DERPMap,
		DisplayMessages:   in.DisplayMessages,
		TKAEnabled:        in.TKAEnabled,
		TKAHead:           in.TKAHead,
		Domain:            in.Domain,
		DomainAuditLogID:  in.DomainAuditLogID,
		UserProfiles:      profiles,
	}, nil
}

// A node is a [tailcfg.Node] whose IDs JavaScript can read without loss.
type node struct {
	ID     id
	User   id
	Sharer id `json:",omitzero"`
	*tailcfg.Node
}

// nodeOf returns v as a node, nil if v is not valid.
func nodeOf(v tailcfg.NodeView) *node {
	n := structOf(v)
	if n == nil {
		return nil
	}
	return &node{ID: id(n.ID), User: id(n.User), Sharer: id(n.Sharer), Node: n}
}

// nodesOf returns views as nodes.
func nodesOf(views []tailcfg.NodeView) []*node {
	nodes := make([]*node, len(views))
	for i, v := range views {
		nodes[i] = nodeOf(v)
	}
	return nodes
}

// view returns the view of what was decoded into n.
func (n *node) view() tailcfg.NodeView {
	if n.Node == nil { // no other field was given
		n.Node = new(tailcfg.Node)
	}
	n.Node.ID = tailcfg.NodeID(n.ID)
	n.Node.User = tailcfg.UserID(n.User)
	n.Node.Sharer = tailcfg.UserID(n.Sharer)
	return n.Node.View()
}

// nodeViews returns views of nodes, nil for nil. No node may be nil.
func nodeViews(nodes []*node) ([]tailcfg.NodeView, error) {
	if nodes == nil {
		return nil, nil
	}
	vs := make([]tailcfg.NodeView, len(nodes))
	for i, n := range nodes {
		if n == nil {
			return nil, fmt.Errorf("%w: peer %d is null", errArgument, i)
		}
		vs[i] = n.view()
	}
	return vs, nil
}

// A profile is a [tailcfg.UserProfile] whose ID JavaScript can read without loss.
type profile struct {
	ID id
	*tailcfg.UserProfile
}

// profileOf returns v as a profile, nil if v is not valid.
func profileOf(v tailcfg.UserProfileView) *profile {
	p := structOf(v)
	if p == nil {
		return nil
	}
	return &profile{ID: id(p.ID), UserProfile: p}
}

// view returns the view of what was decoded into p.
func (p *profile) view() tailcfg.UserProfileView {
	if p.UserProfile == nil { // no other field was given
		p.UserProfile = new(tailcfg.UserProfile)
	}
	p.UserProfile.ID = tailcfg.UserID(p.ID)
	return p.UserProfile.View()
}

// profileViews returns views of profiles, nil for nil. No profile may be nil.
func profileViews(profiles map[tailcfg.UserID]*profile) (map[tailcfg.UserID]tailcfg.UserProfileView, error) {
	if profiles == nil {
		return nil, nil
	}
	vs := make(map[tailcfg.UserID]tailcfg.UserProfileView, len(profiles))
	for id, p := range profiles {
		if p == nil {
			return nil, fmt.Errorf("%w: profile of user %d is null", errArgument, id)
		}
		vs[id] = p.view()
	}
	return vs, nil
}

// structOf returns the struct behind v, which must not be changed, or nil if v
// isn't valid. A view is a struct whose only field is a pointer to it. Should that change, the
// result is a clone, for which Node's turns null in a CapMap into an empty list.
func structOf[T any, V interface{ AsStruct() *T }](v V) *T {
	view := reflect.ValueOf(v)
	if view.NumField() == 1 && view.Field(0).Type() == reflect.TypeFor[*T]() {
		return (*T)(view.Field(0).UnsafePointer())
	}
	return v.AsStruct()
}
