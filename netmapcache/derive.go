package netmapcache

import (
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/util/set"
	"tailscale.com/wgengine/filter"
)

// derive sets the fields of nm that follow from others and are not stored.
func derive(nm *netmap.NetworkMap) {
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
		// Rules that can't be parsed are left out, as a live client leaves them out.
		nm.PacketFilter, _ = filter.MatchesFromFilterRules(nm.PacketFilterRules.AsSlice())
	}
}

// initDisplayNames restores the display names of n, of which one is not stored
// as it has no exported field, as long as n was saved with names at all.
// suffix is the MagicDNS suffix of the tailnet.
func initDisplayNames(n *tailcfg.Node, suffix string) {
	if n.ComputedName == "" {
		return
	}
	name, nameWithHost := n.ComputedName, n.ComputedNameWithHost
	n.InitDisplayNames(suffix)
	n.ComputedName, n.ComputedNameWithHost = name, nameWithHost
}
