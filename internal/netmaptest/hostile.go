package netmaptest

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"

	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/wgengine/filter"
)

// derivedFields are the fields of a NetworkMap that follow from others.
var derivedFields = map[string]bool{"Cached": true, "AllCaps": true, "NodeKey": true, "PacketFilter": true}

// Hostile returns a netmap in which every field of every type is filled at
// random, including edge values: zero times, odd offsets from UTC, years beyond
// 9999 and before 0; strings that aren't UTF-8, that are empty or very long;
// empty and nil slices and maps, nil pointers in slices; 4-in-6, zoned and
// invalid addresses; the extremes of integers; NaN, infinities and -0; raw
// messages that aren't JSON; empty and duplicate stable IDs; user profiles
// under a foreign ID.
//
// The netmap still has what a control client guarantees: the self node is valid and
// has a user, no view is invalid, peers have distinct IDs and are sorted by
// them, and NodeKey, AllCaps and PacketFilter follow from the self node and the
// filter rules. If rules don't parse, PacketFilter is what
// filter.MatchesFromFilterRules makes of them.
func Hostile(seed uint64) *netmap.NetworkMap {
	return hostile(&filler{Rand: rand.New(rand.NewPCG(seed, 'h'))})
}

// HostileJSON is like [Hostile], but has only values that encoding/json writes and
// reads back unchanged, and that upstream's cache can store: text is UTF-8, years
// are from 0 to 9999, offsets are whole minutes, numbers are finite, netip values
// are valid or zero, filter rules parse, peers have stable IDs that differ and
// fit a file name, and so on. Only unexported display names don't survive.
func HostileJSON(seed uint64) *netmap.NetworkMap {
	return hostile(&filler{Rand: rand.New(rand.NewPCG(seed, 'j')), json: true})
}

func hostile(f *filler) *netmap.NetworkMap {
	nm := new(netmap.NetworkMap)
	v := reflect.ValueOf(nm).Elem()
	for i := range v.NumField() {
		if !derivedFields[v.Type().Field(i).Name] {
			f.fill(v.Field(i), true) // upstream loads nothing as nil
		}
	}
	f.self(nm)
	f.peers(nm)
	f.users(nm)
	f.rules(nm)
	return nm
}

func (f *filler) self(nm *netmap.NetworkMap) {
	n := new(tailcfg.Node)
	f.fill(reflect.ValueOf(n).Elem(), false)
	n.User = cmp.Or(n.User, 1)
	nm.SelfNode = n.View()
	nm.NodeKey = n.Key
	nm.AllCaps.Make()
	for _, c := range n.Capabilities {
		nm.AllCaps.Add(c)
	}
	for c := range n.CapMap {
		nm.AllCaps.Add(c)
	}
}

// peers replaces nm's peers by up to 20, or by none.
func (f *filler) peers(nm *netmap.NetworkMap) {
	nm.Peers = nil
	ids := map[tailcfg.NodeID]bool{}
	stableIDs := map[tailcfg.StableNodeID]bool{}
	for range f.IntN(20) {
		n := new(tailcfg.Node)
		f.fill(reflect.ValueOf(n).Elem(), false)
		for ids[n.ID] {
			n.ID++
		}
		ids[n.ID] = true
		if !f.json && len(nm.Peers) > 0 && f.oneIn(8) {
			n.StableID = pick(f, nm.Peers).StableID()
		}
		if f.json {
			for n.StableID == "" || stableIDs[n.StableID] || len(n.StableID) > 100 {
				n.StableID = tailcfg.StableNodeID(f.string())
			}
		}
		stableIDs[n.StableID] = true
		nm.Peers = append(nm.Peers, n.View())
	}
	slices.SortFunc(nm.Peers, byID)
	if nm.Peers == nil && !f.json && f.oneIn(2) {
		nm.Peers = []tailcfg.NodeView{}
	}
}

// users makes the views in nm.UserProfiles valid, and most of the IDs right.
func (f *filler) users(nm *netmap.NetworkMap) {
	for _, k := range sortedKeys(reflect.ValueOf(nm.UserProfiles)) {
		id := tailcfg.UserID(k.Int())
		up := new(tailcfg.UserProfile)
		f.fill(reflect.ValueOf(up).Elem(), false)
		if f.json || !f.oneIn(4) {
			up.ID = id
		}
		nm.UserProfiles[id] = up.View()
	}
}

// rules makes most of nm's filter rules parse, and the packet filter from them.
func (f *filler) rules(nm *netmap.NetworkMap) {
	rules := nm.PacketFilterRules.AsSlice()
	for i := range rules {
		if f.json || !f.oneIn(4) {
			f.parseable(&rules[i])
		}
	}
	if f.json && len(rules) == 0 {
		rules = nil // upstream makes no empty packet filter
	}
	nm.PacketFilterRules = views.SliceOf(rules)
	if rules != nil {
		// Like a control client, use the result even if there is an error.
		nm.PacketFilter, _ = filter.MatchesFromFilterRules(rules)
	}
}

// parseable replaces what filter.MatchesFromFilterRules refuses in r.
func (f *filler) parseable(r *tailcfg.FilterRule) {
	r.SrcBits = nil
	for i := range r.SrcIPs {
		r.SrcIPs[i] = f.ipSet()
		if f.oneIn(4) {
			r.SrcIPs[i] = "cap:" + f.string()
		}
	}
	for i := range r.DstPorts {
		r.DstPorts[i].Bits = nil
		r.DstPorts[i].IP = f.ipSet()
	}
}

// ipSet returns a set of addresses in a form that filter rules accept.
func (f *filler) ipSet() string {
	var a netip.Addr
	for !a.IsValid() {
		a = f.addr().WithZone("")
	}
	switch f.IntN(4) {
	case 0:
		return "*"
	case 1:
		return netip.PrefixFrom(a, f.IntN(a.BitLen()+1)).Masked().String()
	case 2:
		if b := a.Next(); b.IsValid() {
			return a.String() + "-" + b.String()
		}
	}
	return a.String()
}
