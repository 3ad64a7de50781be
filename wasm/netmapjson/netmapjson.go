// Package netmapjson writes and reads netmaps as the JSON that the JavaScript module deals in: tailcfg's, but for
// integers that JavaScript's JSON.parse would round.
package netmapjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// The JSON here is encoding/json's: tailcfg's types are made for it, and link it
// anyway. The module github.com/go-json-experiment/json decodes them two to three
// times faster, but would add 0.2 MB to the compressed program.

// maxSafeInteger is JavaScript's Number.MAX_SAFE_INTEGER.
const maxSafeInteger = 1<<53 - 1

// An Integer is a number in JSON where JSON.parse takes that without rounding, and else a string of decimal
// digits: an ID of a node or user, of which Tailscale's control plane gave out larger ones before March
// 2023; or a duration, of which there are larger ones from 105 days on.
type Integer int64

// MarshalJSON implements [json.Marshaler].
func (i Integer) MarshalJSON() ([]byte, error) {
	text := strconv.FormatInt(int64(i), 10)
	if i < -maxSafeInteger || i > maxSafeInteger {
		text = strconv.Quote(text)
	}
	return []byte(text), nil
}

// UnmarshalJSON implements [json.Unmarshaler]. It takes both forms of any integer.
func (i *Integer) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	n, err := strconv.ParseInt(string(bytes.Trim(text, `"`)), 10, 64)
	*i = Integer(n)
	return err
}

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
	SSHPolicy         *sshPolicy
	CollectServices   bool
	DERPMap           *tailcfg.DERPMap
	DisplayMessages   map[tailcfg.DisplayMessageID]tailcfg.DisplayMessage
	TKAEnabled        bool
	TKAHead           tka.AUMHash `json:",omitzero"`
	Domain            string
	DomainAuditLogID  string
	UserProfiles      map[tailcfg.UserID]*profile
}

// Marshal returns nm as JSON.
func Marshal(nm *netmap.NetworkMap) ([]byte, error) {
	out := netmapJSON{
		Cached:            nm.Cached,
		SelfNode:          nodeOf(nm.SelfNode),
		MachineKey:        nm.MachineKey,
		DNS:               nm.DNS,
		PacketFilterRules: nm.PacketFilterRules,
		SSHPolicy:         sshPolicyOf(nm.SSHPolicy),
		CollectServices:   nm.CollectServices,
		DERPMap:           nm.DERPMap,
		DisplayMessages:   nm.DisplayMessages,
		TKAEnabled:        nm.TKAEnabled,
		TKAHead:           nm.TKAHead,
		Domain:            nm.Domain,
		DomainAuditLogID:  nm.DomainAuditLogID,
	}
	if nm.Peers != nil {
		out.Peers = make([]*node, len(nm.Peers))
		for i, p := range nm.Peers {
			out.Peers[i] = nodeOf(p)
		}
	}
	if nm.UserProfiles != nil {
		out.UserProfiles = make(map[tailcfg.UserID]*profile, len(nm.UserProfiles))
		for id, p := range nm.UserProfiles {
			if p.Valid() {
				out.UserProfiles[id] = profileOf(p)
			}
		}
	}
	return json.Marshal(out)
}

// Unmarshal returns the netmap whose JSON is text. Its self node is
// valid and has a user. The fields that follow from others are not filled in,
// since they are not stored.
func Unmarshal(text []byte) (*netmap.NetworkMap, error) {
	var in netmapJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	if in.SelfNode == nil {
		return nil, errors.New("netmap has no SelfNode")
	}
	if in.SelfNode.User == 0 {
		return nil, errors.New("netmap has no user: SelfNode.User is zero")
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
		SSHPolicy:         in.SSHPolicy.policy(),
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

// UnmarshalNodes returns the nodes whose JSON is text, a list or null.
func UnmarshalNodes(text []byte) ([]tailcfg.NodeView, error) {
	var nodes []*node
	if err := json.Unmarshal(text, &nodes); err != nil {
		return nil, err
	}
	return nodeViews(nodes)
}

// UnmarshalProfiles returns the user profiles whose JSON is text, an object by user ID, or null.
func UnmarshalProfiles(text []byte) (map[tailcfg.UserID]tailcfg.UserProfileView, error) {
	var profiles map[tailcfg.UserID]*profile
	if err := json.Unmarshal(text, &profiles); err != nil {
		return nil, err
	}
	return profileViews(profiles)
}

// A node is a [tailcfg.Node] whose IDs JavaScript can read without loss.
type node struct {
	ID     Integer
	User   Integer
	Sharer Integer `json:",omitzero"`
	*tailcfg.Node
}

// Node returns v as a value of which [json.Marshal] makes what [Marshal] has of a node: null if v is not valid.
func Node(v tailcfg.NodeView) any { return nodeOf(v) }

// nodeOf returns v as a node, nil if v is not valid.
func nodeOf(v tailcfg.NodeView) *node {
	if !v.Valid() {
		return nil
	}
	return &node{ID: Integer(v.ID()), User: Integer(v.User()), Sharer: Integer(v.Sharer()), Node: structOf(v)}
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
			return nil, fmt.Errorf("peer %d is null", i)
		}
		vs[i] = n.view()
	}
	return vs, nil
}

// A profile is a [tailcfg.UserProfile] whose ID JavaScript can read without loss.
type profile struct {
	ID Integer
	*tailcfg.UserProfile
}

// Profile is [Node] for a user profile.
func Profile(v tailcfg.UserProfileView) any { return profileOf(v) }

// profileOf returns v as a profile, nil if v is not valid.
func profileOf(v tailcfg.UserProfileView) *profile {
	if !v.Valid() {
		return nil
	}
	return &profile{ID: Integer(v.ID()), UserProfile: structOf(v)}
}

// profileViews returns views of profiles, nil for nil. No profile may be nil.
func profileViews(profiles map[tailcfg.UserID]*profile) (map[tailcfg.UserID]tailcfg.UserProfileView, error) {
	if profiles == nil {
		return nil, nil
	}
	vs := make(map[tailcfg.UserID]tailcfg.UserProfileView, len(profiles))
	for id, p := range profiles {
		if p == nil {
			return nil, fmt.Errorf("profile of user %d is null", id)
		}
		if p.UserProfile == nil { // no other field was given
			p.UserProfile = new(tailcfg.UserProfile)
		}
		p.UserProfile.ID = tailcfg.UserID(p.ID)
		vs[id] = p.UserProfile.View()
	}
	return vs, nil
}

// sshPolicy, sshRule and sshAction are tailcfg's types of these names, whose durations
// JavaScript can read without loss.
type sshPolicy struct {
	Rules []*sshRule `json:"rules"`
}

type sshRule struct {
	*tailcfg.SSHRule
	Action *sshAction `json:"action"`
}

type sshAction struct {
	*tailcfg.SSHAction
	SessionDuration Integer `json:"sessionDuration,omitzero"`
}

// sshPolicyOf returns p with durations that JavaScript can read, nil for nil.
func sshPolicyOf(p *tailcfg.SSHPolicy) *sshPolicy {
	if p == nil {
		return nil
	}
	out := new(sshPolicy)
	if p.Rules != nil {
		out.Rules = make([]*sshRule, len(p.Rules))
	}
	for i, r := range p.Rules {
		if r == nil {
			continue
		}
		out.Rules[i] = &sshRule{SSHRule: r}
		if a := r.Action; a != nil {
			out.Rules[i].Action = &sshAction{SSHAction: a, SessionDuration: Integer(a.SessionDuration)}
		}
	}
	return out
}

// policy is the reverse of sshPolicyOf.
func (p *sshPolicy) policy() *tailcfg.SSHPolicy {
	if p == nil {
		return nil
	}
	out := new(tailcfg.SSHPolicy)
	if p.Rules != nil {
		out.Rules = make([]*tailcfg.SSHRule, len(p.Rules))
	}
	for i, r := range p.Rules {
		if r == nil {
			continue
		}
		rule := r.SSHRule
		if rule == nil { // no other field was given
			rule = new(tailcfg.SSHRule)
		}
		if a := r.Action; a != nil {
			rule.Action = a.SSHAction
			if rule.Action == nil {
				rule.Action = new(tailcfg.SSHAction)
			}
			rule.Action.SessionDuration = time.Duration(a.SessionDuration)
		}
		out.Rules[i] = rule
	}
	return out
}

// structOf returns the struct behind v, which must not be changed, and is valid. A view is a struct whose only
// field is a pointer to it. Should that change, the
// result is a clone, for which Node's turns null in a CapMap into an empty list.
func structOf[T any, V interface{ AsStruct() *T }](v V) *T {
	view := reflect.ValueOf(v)
	if view.NumField() == 1 && view.Field(0).Type() == reflect.TypeFor[*T]() {
		return (*T)(view.Field(0).UnsafePointer())
	}
	return v.AsStruct()
}
