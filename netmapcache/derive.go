package netmapcache

import (
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/wgengine/filter"
)

// derive sets the fields of nm that follow from others and are not stored. Its
// errors satisfy ErrCorrupt.
func derive(nm *netmap.NetworkMap) error {
	if self := nm.SelfNode; self.Valid() { // not in LoadPartial, if its column is damaged
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
		// Rules that can't be parsed are left out, as in a live client.
		nm.PacketFilter, _ = filter.MatchesFromFilterRules(rules)
	}
	return nil
}

// restoreDisplayNames restores the display names of n, if it was saved with any.
// One of the three, the host name, has no exported field and isn't stored. It
// is in parentheses in ComputedNameWithHost, behind the name.
func restoreDisplayNames(n *tailcfg.Node) {
	if n.ComputedName == "" {
		return
	}
	if rest, ok := strings.CutPrefix(n.ComputedNameWithHost, n.ComputedName+" ("); ok {
		codec.SetDisplayHost(n, strings.TrimSuffix(rest, ")"))
	}
}
