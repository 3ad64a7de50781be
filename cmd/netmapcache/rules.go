package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"tailscale.com/tailcfg"
	"tailscale.com/types/ipproto"
	"tailscale.com/types/netmap"
	"tailscale.com/wgengine/filter"
	"tailscale.com/wgengine/filter/filtertype"
)

// A rule is a rule of the packet filter that lets a peer in.
type rule struct {
	Rule         int // its place among all rules, from 1
	Protocols    []string
	To           []string // addresses and ports
	Capabilities []string // granted by the rule
}

// maxListed is how many addresses, ports or capabilities of a rule are shown.
const maxListed = 4

func (r rule) String() string {
	var parts []string
	if len(r.To) > 0 {
		parts = append(parts, strings.Join(r.Protocols, ",")+" to "+some(r.To))
	}
	if len(r.Capabilities) > 0 {
		parts = append(parts, "grants "+some(r.Capabilities))
	}
	return short(strings.Join(parts, "; "))
}

// some returns the first elements of list, and how many others there are.
func some(list []string) string {
	if len(list) <= maxListed {
		return strings.Join(list, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:maxListed], " "), len(list)-maxListed)
}

// rulesFor returns the rules that let p in: those whose sources, parsed by Tailscale's own code,
// contain an address of p, or a capability that it has.
func rulesFor(nm *netmap.NetworkMap, p tailcfg.NodeView) (rules []rule) {
	for i, r := range nm.PacketFilterRules.All() {
		matches, _ := filter.MatchesFromFilterRules([]tailcfg.FilterRule{r}) // a live client also leaves out what it can't parse
		found := rule{Rule: i + 1}
		for _, m := range matches {
			if !lets(m, p) {
				continue
			}
			for _, proto := range m.IPProto.All() {
				found.Protocols = append(found.Protocols, protocol(proto))
			}
			for _, d := range m.Dsts {
				found.To = append(found.To, d.String())
			}
			for _, c := range m.Caps {
				found.Capabilities = append(found.Capabilities, string(c.Cap))
			}
		}
		if len(found.To) > 0 || len(found.Capabilities) > 0 {
			for _, list := range []*[]string{&found.Protocols, &found.To, &found.Capabilities} {
				slices.Sort(*list)
				*list = slices.Compact(*list)
			}
			rules = append(rules, found)
		}
	}
	return rules
}

func lets(m filtertype.Match, p tailcfg.NodeView) bool {
	for _, c := range m.SrcCaps {
		if p.CapMap().Contains(c) {
			return true
		}
	}
	return p.Addresses().ContainsFunc(func(own netip.Prefix) bool {
		return slices.ContainsFunc(m.Srcs, own.Overlaps)
	})
}

// protocol returns the name of an IP protocol, in lower case.
func protocol(p ipproto.Proto) string { return strings.ToLower(p.String()) }
