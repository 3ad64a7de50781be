package netmapcache

import (
	"errors"
	"net/netip"
	"strings"

	"go4.org/netipx"
	"tailscale.com/tailcfg"
)

// Parsing the rules of a packet filter makes prefixes of its ranges of addresses, up to 254 of one, and a match for each
// destination of a grant with each of its capabilities. So rules of n elements may make filterSlack + n*filterPerElement prefixes, lest
// a few kilobytes fill the memory. A match counts as matchWeight of them, since it takes so much more memory. Two grants of
// 20 capabilities to 20,000 addresses, or 20,000 rules from the ranges that are a tailnet, are far from that.
const (
	filterSlack      = 1 << 19
	filterPerElement = 96
	matchWeight      = 3
)

var errFilter = errors.New("rules take too much memory for their length")

// checkFilter reports whether rules make more than they may. What it passes Load parses, and Store must not store
// other rules.
func checkFilter(rules []tailcfg.FilterRule) error {
	var (
		elements, made uint64
		buf            []netip.Prefix
	)
	addresses := func(s string) {
		elements++
		made++
		from, to, _ := strings.Cut(s, "-")
		a, errA := netip.ParseAddr(from)
		b, errB := netip.ParseAddr(to)
		if errA == nil && errB == nil {
			buf = netipx.IPRangeFrom(a, b).AppendPrefixes(buf[:0])
			made += uint64(len(buf))
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
			made += matchWeight * dsts * caps
		}
		if made > filterSlack+filterPerElement*elements {
			return errFilter
		}
	}
	return nil
}
