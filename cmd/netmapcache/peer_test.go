package main

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
)

// TestFind searches each peer by everything that names it alone, in the ways of peer and of peers --match.
func TestFind(t *testing.T) {
	nm := netmaptest.Realistic(100, 1)
	for _, p := range nm.Peers {
		names := []string{p.Name(), name(p), string(p.StableID()), strconv.FormatInt(int64(p.ID()), 10), p.ID().String(), p.Key().String(), p.Key().ShortString()}
		if !p.DiscoKey().IsZero() {
			names = append(names, p.DiscoKey().String(), p.DiscoKey().ShortString())
		}
		if !p.Machine().IsZero() {
			names = append(names, p.Machine().String())
		}
		for _, a := range p.Addresses().All() {
			names = append(names, a.Addr().String())
		}
		for _, what := range names {
			if found := find(nm, what); len(found) != 1 || found[0] != p {
				t.Errorf("peer %s: found %d", what, len(found))
			}
			f := peersFlags{match: []string{what, name(p)}}
			if what != p.Name() && !slices.ContainsFunc(nm.Peers, func(q tailcfg.NodeView) bool { return q == p && f.wants(nm, q) }) {
				t.Errorf("peers --match %s: not found", what)
			}
		}
	}
}

// TestRulesFor compares the rules that rulesFor returns with what Tailscale's filter lets in.
func TestRulesFor(t *testing.T) {
	nm := netmaptest.Realistic(100, 1)
	someLetIn := false
	for _, p := range nm.Peers {
		want := make(map[string]bool)
		for _, m := range nm.PacketFilter {
			if p.Addresses().Len() > 0 && m.SrcsContains(p.Addresses().At(0).Addr()) || slices.ContainsFunc(m.SrcCaps, p.CapMap().Contains) {
				for _, d := range m.Dsts {
					want[d.String()] = true
				}
			}
		}
		got := make(map[string]bool)
		for _, r := range rulesFor(nm, p) {
			for _, to := range r.To {
				got[to] = true
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: let in to %v, want %v", name(p), got, want)
		}
		someLetIn = someLetIn || len(want) > 0
	}
	if !someLetIn {
		t.Error("no rule lets any peer in")
	}
}
