package netmapcache

import (
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/wgengine/filter"
)

// derive sets the fields of nm that follow from others and are not stored. The
// error is an ErrCorrupt.
func derive(nm *netmap.NetworkMap) error {
	if self := nm.SelfNode; self.Valid() { // else it couldn't be loaded
		nm.NodeKey = self.Key()
		nm.AllCaps.Make()
		for _, cap := range self.Capabilities().All() {
			nm.AllCaps.Add(cap)
		}
		for cap := range self.CapMap().All() {
			nm.AllCaps.Add(cap)
		}
	}

	if !nm.PacketFilterRules.IsNil() {
		rules := nm.PacketFilterRules.AsSlice()
		if err := checkFilter(rules); err != nil {
			return corruptBy(kindNames[format.KindFilter], err)
		}
		// Rules that can't be parsed are left out, as a live client leaves them out.
		nm.PacketFilter, _ = filter.MatchesFromFilterRules(rules)
	}
	return nil
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
