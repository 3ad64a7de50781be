package netmapcache

import (
	"strings"

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

// restoreDisplayNames restores the display names of n, if it was saved with any.
// Of the three, the host name has no exported field and therefore isn't stored.
// suffix is the MagicDNS suffix of the tailnet.
func restoreDisplayNames(n *tailcfg.Node, suffix string) {
	name, withHost := n.ComputedName, n.ComputedNameWithHost
	if name == "" {
		return
	}
	n.InitDisplayNames(suffix)
	if n.ComputedName == name && n.ComputedNameWithHost == withHost {
		return
	}
	// They are older than the node's present name or Hostinfo. The host name
	// stands in parentheses behind the name.
	host := ""
	if rest, ok := strings.CutPrefix(withHost, name+" ("); ok {
		host = strings.TrimSuffix(rest, ")")
	}
	nodeName, info := n.Name, n.Hostinfo
	n.Name, n.Hostinfo = "-", (&tailcfg.Hostinfo{Hostname: host}).View()
	n.InitDisplayNames("")
	n.Name, n.Hostinfo = nodeName, info
	n.ComputedName, n.ComputedNameWithHost = name, withHost
}
