package netmaptest

import (
	"encoding/base64"
	"fmt"

	"tailscale.com/tailcfg"
	"tailscale.com/types/opt"
)

func (b *builder) hostinfo(os, hostname string) *tailcfg.Hostinfo {
	port := uint16(1024 + b.IntN(64000))
	hi := &tailcfg.Hostinfo{
		OS:       os,
		Hostname: hostname,
		Services: []tailcfg.Service{
			{Proto: tailcfg.PeerAPI4, Port: port},
			{Proto: tailcfg.PeerAPI6, Port: port},
		},
	}
	if b.oneIn(2) {
		hi.Services = append(hi.Services, tailcfg.Service{Proto: tailcfg.PeerAPIDNS, Port: 1})
	}
	if os == "linux" && b.oneIn(3) {
		hi.Services = append(hi.Services, tailcfg.Service{Proto: tailcfg.TCP, Port: 22, Description: "sshd"})
	}
	return hi
}

// netInfo returns what a node finds out about its network. If full, it has the
// latencies to all regions, otherwise to four.
func (b *builder) netInfo(full bool) *tailcfg.NetInfo {
	ni := &tailcfg.NetInfo{
		MappingVariesByDestIP: opt.NewBool(b.oneIn(4)),
		WorkingIPv6:           opt.NewBool(b.oneIn(2)),
		OSHasIPv6:             "true",
		WorkingUDP:            "true",
		WorkingICMPv4:         opt.NewBool(b.oneIn(2)),
		HavePortMap:           b.oneIn(3),
		UPnP:                  opt.NewBool(b.oneIn(4)),
		PMP:                   opt.NewBool(b.oneIn(4)),
		PCP:                   opt.NewBool(b.oneIn(4)),
	}
	setRegion(&ni.PreferredDERP, 1+b.IntN(len(cities)))
	ni.LinkType = b.pick("wired", "wifi", "mobile")
	if b.oneIn(2) {
		ni.FirewallMode = "nft-default"
	}
	regions := 4
	if full {
		regions = len(cities)
		ni.FirewallMode = "nft-default"
	}
	for id := 1; id <= regions; id++ {
		setLatency(&ni.DERPLatency, fmt.Sprintf("%d-v4", id), float64(1+b.IntN(250_000_000))/1e9)
	}
	return ni
}

// setLatency sets (*m)[k], in a new map if *m is nil.
func setLatency[K ~string](m *map[K]float64, k string, seconds float64) {
	if *m == nil {
		*m = make(map[K]float64)
	}
	(*m)[K(k)] = seconds
}

func (b *builder) sshHostKeys() []string {
	k := func(prefix string, n int) string {
		return base64.StdEncoding.EncodeToString(append([]byte(prefix), b.bytes(n)...))
	}
	return []string{
		"ssh-ed25519 " + k("\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20", 32),
		"ecdsa-sha2-nistp256 " + k("\x00\x00\x00\x13ecdsa-sha2-nistp256\x00\x00\x00\x08nistp256\x00\x00\x00\x41\x04", 64),
	}
}
