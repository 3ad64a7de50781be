package netmaptest

import (
	"fmt"
	"net/netip"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/dnstype"
)

func (b *builder) dns() tailcfg.DNSConfig {
	return tailcfg.DNSConfig{
		Resolvers: []*dnstype.Resolver{
			{Addr: "https://dns.nextdns.io/a1b2c3", BootstrapResolution: []netip.Addr{netip.MustParseAddr("45.90.28.0"), netip.MustParseAddr("2a07:a8c0::")}},
			{Addr: "9.9.9.9", UseWithExitNode: true},
		},
		Routes: map[string][]*dnstype.Resolver{
			magicSuffix:                        {}, // answered by the client itself
			otherSuffix:                        {},
			"corp.example.com":                 {{Addr: "10.20.0.53"}, {Addr: "10.20.1.53:5353"}},
			"10.in-addr.arpa":                  {{Addr: "10.20.0.53"}},
			"0.e.1.a.c.5.1.1.a.7.d.f.ip6.arpa": nil,
			"ads.example.net":                  {{Addr: "https://dns.quad9.net/dns-query", BootstrapResolution: []netip.Addr{netip.MustParseAddr("9.9.9.9")}}},
		},
		FallbackResolvers: []*dnstype.Resolver{{Addr: "8.8.8.8"}, {Addr: "2001:4860:4860::8888"}},
		Domains:           []string{magicSuffix, "corp.example.com"},
		Proxied:           true,
		Nameservers:       []netip.Addr{netip.MustParseAddr("9.9.9.9")},
		CertDomains:       []string{"ada-laptop." + magicSuffix},
		ExtraRecords: []tailcfg.DNSRecord{
			{Name: "wiki." + magicSuffix, Value: "100.64.0.80"},
			{Name: "wiki." + magicSuffix, Type: "AAAA", Value: "fd7a:115c:a1e0::80"},
		},
		ExitNodeFilteredSet: []string{".home.arpa", ".local", "_dmarc.example.com"},
	}
}

// cities are where the relays are, in order of region ID, from 1.
var cities = []struct {
	code, name, country, countryCode string
	lat, lon                         float64
}{
	{"nyc", "New York City", "USA", "US", 40.7128, -74.006},
	{"sfo", "San Francisco", "USA", "US", 37.7749, -122.4194},
	{"sin", "Singapore", "Singapore", "SG", 1.3521, 103.8198},
	{"fra", "Frankfurt", "Germany", "DE", 50.1109, 8.6821},
	{"syd", "Sydney", "Australia", "AU", -33.8688, 151.2093},
	{"blr", "Bangalore", "India", "IN", 12.9716, 77.5946},
	{"tok", "Tokyo", "Japan", "JP", 35.6762, 139.6503},
	{"lhr", "London", "United Kingdom", "GB", 51.5072, -0.1276},
	{"dfw", "Dallas", "USA", "US", 32.7767, -96.797},
	{"sea", "Seattle", "USA", "US", 47.6062, -122.3321},
	{"sao", "São Paulo", "Brazil", "BR", -23.5558, -46.6396},
	{"ord", "Chicago", "USA", "US", 41.8781, -87.6298},
	{"den", "Denver", "USA", "US", 39.7392, -104.9903},
	{"ams", "Amsterdam", "Netherlands", "NL", 52.3676, 4.9041},
	{"jnb", "Johannesburg", "South Africa", "ZA", -26.2041, 28.0473},
	{"mia", "Miami", "USA", "US", 25.7617, -80.1918},
	{"lax", "Los Angeles", "USA", "US", 34.0522, -118.2437},
	{"par", "Paris", "France", "FR", 48.8566, 2.3522},
	{"mad", "Madrid", "Spain", "ES", 40.4168, -3.7038},
	{"hkg", "Hong Kong", "Hong Kong", "HK", 22.3193, 114.1694},
	{"tor", "Toronto", "Canada", "CA", 43.6532, -79.3832},
	{"waw", "Warsaw", "Poland", "PL", 52.2297, 21.0122},
	{"dbi", "Dubai", "United Arab Emirates", "AE", 25.2048, 55.2708},
	{"hnl", "Honolulu", "USA", "US", 21.3099, -157.8581},
	{"nai", "Nairobi", "Kenya", "KE", -1.2921, 36.8219},
}

func (b *builder) derpMap() *tailcfg.DERPMap {
	dm := &tailcfg.DERPMap{HomeParams: &tailcfg.DERPHomeParams{}, OmitDefaultRegions: true}
	setAt(&dm.HomeParams.RegionScore, 4, 0.8)
	setAt(&dm.HomeParams.RegionScore, 8, 1.25)
	for i, c := range cities {
		id := i + 1
		r := &tailcfg.DERPRegion{
			RegionCode: c.code, RegionName: c.name, Latitude: c.lat, Longitude: c.lon,
			Avoid: c.code == "dbi", NoMeasureNoHome: c.code == "hnl",
		}
		letters := "bcdefg"
		for j := range 3 + b.IntN(3) {
			r.Nodes = append(r.Nodes, &tailcfg.DERPNode{
				Name:      fmt.Sprintf("%d%c", id, letters[j]),
				HostName:  fmt.Sprintf("derp%d%c.tailscale.com", id, letters[j]),
				IPv4:      fmt.Sprintf("199.38.%d.%d", 180+b.IntN(4), 1+b.IntN(254)),
				IPv6:      fmt.Sprintf("2607:f740:%x::%x", 1+b.IntN(0xfff), 1+b.IntN(0xfff)),
				CanPort80: true,
			})
		}
		AddRegion(dm, id, r)
	}
	AddRegion(dm, 901, &tailcfg.DERPRegion{
		RegionCode: "own", RegionName: "Example Inc.",
		Nodes: []*tailcfg.DERPNode{
			{Name: "901a", HostName: "derp.example.com", CertName: "sha256-raw:" + fmt.Sprintf("%x", b.bytes(32)), DERPPort: 8443, STUNPort: 3479},
			{Name: "901s", HostName: "stun.example.com", IPv4: "198.51.100.7", IPv6: "none", STUNPort: -1, STUNOnly: true},
		},
	})
	return dm
}

// The type of region IDs, an int up to tailscale.com v1.102, isn't named here.
type regionID interface{ ~int | ~int64 }

func setRegion[T regionID](p *T, id int) { *p = T(id) }

// setAt sets (*m)[id], in a new map if *m is nil.
func setAt[K regionID, V any](m *map[K]V, id int, v V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[K(id)] = v
}

// AddRegion adds r to dm, with its ID wherever it belongs.
func AddRegion(dm *tailcfg.DERPMap, id int, r *tailcfg.DERPRegion) {
	setRegion(&r.RegionID, id)
	for _, n := range r.Nodes {
		setRegion(&n.RegionID, id)
	}
	setAt(&dm.Regions, id, r)
}

func (b *builder) sshPolicy() *tailcfg.SSHPolicy {
	expires := b.now.Add(8 * time.Hour)
	return &tailcfg.SSHPolicy{Rules: []*tailcfg.SSHRule{
		{
			RuleExpires: &expires,
			Principals:  []*tailcfg.SSHPrincipal{{UserLogin: b.owner.LoginName}, {NodeIP: b.anyNode().Addresses[0].Addr().String()}},
			SSHUsers:    map[string]string{"*": "=", "root": ""},
			Action:      &tailcfg.SSHAction{Accept: true, AllowAgentForwarding: true, AllowLocalPortForwarding: true, AllowRemotePortForwarding: true},
			AcceptEnv:   []string{"LANG", "LC_*", "GIT_*"},
		},
		{
			Principals: []*tailcfg.SSHPrincipal{{Node: b.anyNode().StableID}},
			SSHUsers:   map[string]string{"ubuntu": "ubuntu", "deploy": "deploy"},
			Action: &tailcfg.SSHAction{
				Message:         "# This session is recorded.\n",
				Accept:          true,
				SessionDuration: 12 * time.Hour,
				HoldAndDelegate: "https://unused/machine/ssh/action/$SRC_NODE_ID/to/$DST_NODE_ID",
				Recorders:       []netip.AddrPort{netip.MustParseAddrPort("100.64.0.200:80"), netip.MustParseAddrPort("[fd7a:115c:a1e0::c8]:80")},
				OnRecordingFailure: &tailcfg.SSHRecorderFailureAction{
					RejectSessionWithMessage:    "# The recorder can't be reached.\n",
					TerminateSessionWithMessage: "# The recorder was lost.\n",
					NotifyURL:                   "https://unused/machine/ssh/notify",
				},
			},
		},
		{
			Principals: []*tailcfg.SSHPrincipal{{Any: true}},
			SSHUsers:   map[string]string{"root": ""},
			Action:     &tailcfg.SSHAction{Message: "root is not allowed here\n", Reject: true},
		},
	}}
}

func displayMessages() map[tailcfg.DisplayMessageID]tailcfg.DisplayMessage {
	return map[tailcfg.DisplayMessageID]tailcfg.DisplayMessage{
		"key-expiry-soon": {
			Title:         "Key expires soon",
			Text:          "This device's key expires in 3 days. Sign in again to keep it connected.",
			Severity:      tailcfg.SeverityLow,
			PrimaryAction: &tailcfg.DisplayMessageAction{URL: "https://login.example.com/admin/machines", Label: "Renew the key"},
		},
		"exit-node-misconfigured": {
			Title:               "Exit node is not approved",
			Text:                "This device offers to be an exit node, but no administrator has approved it.",
			Severity:            tailcfg.SeverityMedium,
			ImpactsConnectivity: true,
		},
	}
}
