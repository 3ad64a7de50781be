package netmaptest

import (
	"maps"
	"slices"
	"strings"

	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// hostileNames are valid UTF-8, and hard on a user interface.
var hostileNames = []string{
	"<script>alert(document.domain)</script>",
	`"><img src=x onerror=alert(1)>`,
	"javascript:alert(1)//",
	"{{constructor.constructor('alert(1)')()}}",
	"\u202etxt.exe\u202c",
	"שלום עולם",
	"name\u200b\u200d\ufeff",
	"Z\u0351\u036b\u0343a\u0363\u0369l\u0348\u0353g\u0321\u0353o\u031b",
	"👩‍👩‍👧‍👦🏳️‍🌈",
	"line\nbreak\ttab\x00nul\x1b[31mred",
	"__proto__",
	"constructor",
	"..%2f..%2fetc%2fpasswd",
	"'; DROP TABLE peers; --",
	"&lt;b&gt;&amp;amp;",
	" ",
	"",
	strings.Repeat("very-long-", 500),
	strings.Repeat("W", 10_000),
}

// HostileNames returns a copy of nm in which everything that people can name,
// and that a user interface shows, has a name that tries to break it: peers,
// their host names, operating systems and tags, users, messages, relay regions.
// IDs, addresses and keys stay as they are.
func HostileNames(nm *netmap.NetworkMap) *netmap.NetworkMap {
	c := deepCopy(nm)
	used := 0
	next := func() string {
		used++
		return hostileNames[used%len(hostileNames)]
	}
	for i, p := range c.Peers {
		n := nodeOf(p)
		n.Name = next() + "." + magicSuffix + "."
		if i%2 == 1 {
			n.Name = next()
		}
		if n.Hostinfo.Valid() {
			hi := n.Hostinfo.AsStruct()
			hi.Hostname, hi.OS, hi.DeviceModel = next(), next(), next()
			if hi.Location != nil {
				hi.Location.Country, hi.Location.City = next(), next()
			}
			n.Hostinfo = hi.View()
		}
		for i := range n.Tags {
			n.Tags[i] = "tag:" + next()
		}
		n.InitDisplayNames(magicSuffix)
		c.Peers[i] = n.View()
	}
	for _, id := range slices.Sorted(maps.Keys(c.UserProfiles)) {
		up := c.UserProfiles[id].AsStruct()
		up.DisplayName, up.LoginName, up.ProfilePicURL = next(), next(), next()
		c.UserProfiles[id] = up.View()
	}
	for id, m := range c.DisplayMessages {
		m.Title, m.Text = hostileNames[0], hostileNames[1]
		m.PrimaryAction = &tailcfg.DisplayMessageAction{URL: "javascript:alert(1)", Label: hostileNames[1]}
		c.DisplayMessages[id] = m
	}
	if c.DERPMap != nil {
		for _, id := range c.DERPMap.RegionIDs() {
			c.DERPMap.Regions[id].RegionName = next()
		}
	}
	return c
}
