package netmapcache

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"tailscale.com/tailcfg"
	"tailscale.com/wgengine/filter"
)

// TestFilterBounds: what control planes send is far below the bounds, and hostile rules exceed them.
func TestFilterBounds(t *testing.T) {
	rule := func(sources ...string) tailcfg.FilterRule { return tailcfg.FilterRule{SrcIPs: sources} }
	grant := func(dsts, caps int) tailcfg.FilterRule {
		g := tailcfg.CapGrant{Dsts: make([]netip.Prefix, dsts)}
		g.Caps = slices.Grow(g.Caps, caps)[:caps]
		return tailcfg.FilterRule{CapGrant: []tailcfg.CapGrant{g}}
	}
	all := rule("100.64.0.0-100.115.91.255", "100.115.94.0-100.127.255.255", "fd7a:115c:a1e0::/48")
	ranges := rule("10.0.0.1-10.255.255.254", "172.16.0.1-172.31.255.254", "192.168.0.1-192.168.255.254", "fd00::1-fd7a:115c:a1e0::ffff")
	for _, tt := range []struct {
		name  string
		rules []tailcfg.FilterRule
		ok    bool
	}{
		{"none", nil, true},
		{"600 rules from all", slices.Repeat([]tailcfg.FilterRule{all}, 600), true},
		{"20,000 rules from all", slices.Repeat([]tailcfg.FilterRule{all}, 20_000), true},
		{"300 rules of four ranges", slices.Repeat([]tailcfg.FilterRule{ranges}, 300), true},
		{"3,000 rules of four ranges", slices.Repeat([]tailcfg.FilterRule{ranges}, 3000), true},
		{"two grants of 20 capabilities to 20,000 addresses", []tailcfg.FilterRule{grant(20_000, 20), grant(20_000, 20)}, true},
		{"100,000 of the widest ranges", []tailcfg.FilterRule{rule(strings.Split(strings.Repeat("::1-ff::fffe ", 99_999)+"::1-ff::fffe", " ")...)}, false},
		{"2,000 capabilities to 2,000 addresses", []tailcfg.FilterRule{grant(2000, 2000)}, false},
	} {
		if err := checkFilter(tt.rules); (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// TestFilterRanges: ranges are counted as they are parsed.
func TestFilterRanges(t *testing.T) {
	const n = filterSlack / 253 // of ranges of 254 prefixes, less what each may make itself
	for _, s := range []string{"::1-ff::fffe", "::1-::1", "10.0.0.1-10.0.0.254", "2-1", "10.0.0.2-10.0.0.1", "::-1.2.3.4", "a-b-c", "10.0.0.0/8", "*", "cap:a-b", ""} {
		matches, _ := filter.MatchesFromFilterRules([]tailcfg.FilterRule{{SrcIPs: []string{s}}})
		made := 0
		for _, m := range matches {
			made += len(m.Srcs)
		}
		got := checkFilter([]tailcfg.FilterRule{{SrcIPs: slices.Repeat([]string{s}, 2*n)}})
		if (got != nil) != (made > 200) {
			t.Errorf("%q makes %d prefixes: got %v", s, made, got)
		}
	}
}
