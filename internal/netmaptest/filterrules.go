package netmaptest

import (
	"net/netip"

	"tailscale.com/tailcfg"
	"tailscale.com/types/ipproto"
)

func (b *builder) filterRules() []tailcfg.FilterRule {
	all := tailcfg.PortRangeAny
	port := func(n uint16) tailcfg.PortRange { return tailcfg.PortRange{First: n, Last: n} }
	self := b.nodes[0].Addresses
	rules := []tailcfg.FilterRule{
		{ // the whole tailnet may ping
			SrcIPs:   []string{"100.64.0.0-100.115.91.255", "100.115.94.0-100.127.255.255", "fd7a:115c:a1e0::/48"},
			DstPorts: []tailcfg.NetPortRange{{IP: "*", Ports: all}},
			IPProto:  []int{int(ipproto.ICMPv4), int(ipproto.ICMPv6)},
		},
		{
			SrcIPs:   []string{"cap:example.com/cap/monitoring", "10.20.0.0/16", "192.168.7.1"},
			DstPorts: []tailcfg.NetPortRange{{IP: self[0].String(), Ports: port(9100)}, {IP: self[1].Addr().String(), Ports: port(9100)}},
			IPProto:  []int{int(ipproto.TCP)},
		},
		{
			SrcIPs: []string{"*"},
			CapGrant: []tailcfg.CapGrant{
				{Dsts: self, Caps: []tailcfg.PeerCapability{tailcfg.PeerCapabilityFileSharingSend, tailcfg.PeerCapabilityDebugPeer}},
				{Dsts: self, CapMap: tailcfg.PeerCapMap{
					tailcfg.PeerCapabilityTaildrive: {`{"shares":["*"],"access":"ro"}`},
					tailcfg.PeerCapabilityWebUI:     {`{"canEdit":["ssh","subnets"]}`, `{"canEdit":["*"]}`},
					tailcfg.PeerCapabilityRelay:     nil,
				}},
				{Dsts: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}, CapMap: tailcfg.PeerCapMap{
					tailcfg.PeerCapabilityKubernetes: {`{"impersonate":{"groups":["system:masters"]},"recorder":["tag:recorder"]}`},
				}},
			},
		},
	}
	for range 2 + min(b.peers/50, 60) {
		r := tailcfg.FilterRule{IPProto: []int{int(ipproto.TCP), int(ipproto.UDP)}}
		for range 1 + b.IntN(8) {
			a := b.anyNode().Addresses
			r.SrcIPs = append(r.SrcIPs, a[0].Addr().String(), a[1].Addr().String())
		}
		for range 1 + b.IntN(3) {
			first := uint16(1 + b.IntN(60000))
			r.DstPorts = append(r.DstPorts, tailcfg.NetPortRange{IP: self[0].String(), Ports: tailcfg.PortRange{First: first, Last: first + uint16(b.IntN(3)*500)}})
		}
		rules = append(rules, r)
	}
	return rules
}
