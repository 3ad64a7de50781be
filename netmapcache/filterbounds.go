package netmapcache

import (
	"errors"
	"net/netip"
	"strings"

	"go4.org/netipx"
	"tailscale.com/tailcfg"
)

// The rules of a packet filter grow when they are parsed: each range of addresses becomes up to 254 prefixes, and each
// destination of a grant becomes a match with each of its capabilities. Rules of n elements may make at most filterSlack + n*filterPerElement
// prefixes, so that a few kilobytes can't fill the memory. A match counts as matchWeight prefixes, since it takes so much more memory. Two grants of
// 20 capabilities to 20,000 addresses, or 20,000 rules from the ranges that make up a tailnet, are far below the limit.
const (
	filterSlack      = 1 << 19
	filterPerElement = 96
	matchWeight      = 3
)

var errFilter = errors.New("rules take too much memory for their length")

// checkFilter reports errFilter if parsing rules would take too much memory. Load and Store refuse such rules.
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
