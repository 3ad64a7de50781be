package netmapcache

import (
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/util/set"
	"tailscale.com/wgengine/filter"
)

// derive sets the fields of nm that follow from others and are not stored. The
// error is an ErrCorrupt.
func derive(nm *netmap.NetworkMap) error {
	self := nm.SelfNode
	nm.NodeKey = self.Key()
	nm.AllCaps = make(set.Set[tailcfg.NodeCapability])
	for _, cap := range self.Capabilities().All() {
		nm.AllCaps.Add(cap)
	}
	for cap := range self.CapMap().All() {
		nm.AllCaps.Add(cap)
	}

	if !nm.PacketFilterRules.IsNil() {
		rules := nm.PacketFilterRules.AsSlice()
		if expandsTooFar(rules) {
			return corrupt(kindNames[format.KindFilter], "rules take too much memory for their length")
		}
		// Rules that can't be parsed are left out, as a live client leaves them out.
		nm.PacketFilter, _ = filter.MatchesFromFilterRules(rules)
	}
	return nil
}

// expandsTooFar reports whether parsing rules takes memory out of all proportion:
// a grant becomes a match for each of its destinations with each of its
// capabilities, and a range of addresses some hundred prefixes. So a few kilobytes
// could fill the memory. A grant of 20 capabilities for 20,000 addresses is still fine.
func expandsTooFar(rules []tailcfg.FilterRule) bool {
	const (
		maxPrefixes = 254 // of a range of IPv6 addresses
		always      = 1 << 18
		perElement  = 8
	)
	var elements, made uint64 // of what is parsed and what comes out
	addresses := func(s string) {
		elements++
		if strings.Contains(s, "-") {
			made += maxPrefixes
		}
	}
	for _, r := range rules {
		for _, s := range r.SrcIPs {
			addresses(s)
		}
		for _, d := range r.DstPorts {
			addresses(d.IP)
		}
		for _, g := range r.CapGrant {
			dsts, caps := uint64(len(g.Dsts)), uint64(len(g.Caps)+len(g.CapMap))
			elements += dsts + caps
			made += dsts * caps
		}
		if made > always+perElement*elements {
			return true
		}
	}
	return false
}

// restoreDisplayNames restores the display names of n, if it was saved with any.
// Of the three, the host name has no exported field and therefore isn't stored. It
// stands in parentheses behind the name.
func restoreDisplayNames(n *tailcfg.Node) {
	if n.ComputedName == "" {
		return
	}
	if rest, ok := strings.CutPrefix(n.ComputedNameWithHost, n.ComputedName+" ("); ok {
		codec.SetDisplayHost(n, strings.TrimSuffix(rest, ")"))
	}
}
