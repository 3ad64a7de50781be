package netmapcache_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"pgregory.net/rapid"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/wgengine/filter"
)

// An extreme makes a netmap n times larger in one way, or strange in one way.
type extreme struct {
	name string
	to   func(nm *netmap.NetworkMap, n int)
}

var extremes = []extreme{
	{"rules from all", func(nm *netmap.NetworkMap, n int) {
		setRules(nm, n, tailcfg.FilterRule{SrcIPs: []string{"100.64.0.0-100.115.91.255", "100.115.94.0-100.127.255.255", "fd7a:115c:a1e0::/48"},
			DstPorts: []tailcfg.NetPortRange{{IP: "*", Ports: tailcfg.PortRangeAny}}})
	}},
	{"rules of four ranges", func(nm *netmap.NetworkMap, n int) {
		setRules(nm, n, tailcfg.FilterRule{
			SrcIPs:   []string{"10.0.0.1-10.255.255.254", "172.16.0.1-172.31.255.254", "192.168.0.1-192.168.255.254", "fd00::1-fd7a:115c:a1e0::ffff"},
			DstPorts: []tailcfg.NetPortRange{{IP: "100.64.0.1", Ports: tailcfg.PortRangeAny}}})
	}},
	{"empty rules", func(nm *netmap.NetworkMap, n int) { setRules(nm, 30*n, tailcfg.FilterRule{}) }},
	{"sources", func(nm *netmap.NetworkMap, n int) {
		setRules(nm, 1, tailcfg.FilterRule{SrcIPs: slices.Repeat([]string{"*"}, 30*n)})
	}},
	{"nearly empty peers", func(nm *netmap.NetworkMap, n int) {
		nm.Peers = nil
		for i := range 10 * n {
			nm.Peers = append(nm.Peers, (&tailcfg.Node{ID: tailcfg.NodeID(i + 1)}).View())
		}
	}},
	{"users", func(nm *netmap.NetworkMap, n int) {
		nm.UserProfiles = make(map[tailcfg.UserID]tailcfg.UserProfileView)
		for i := range 10 * n {
			nm.UserProfiles[tailcfg.UserID(i)] = (&tailcfg.UserProfile{}).View()
		}
	}},
	{"nil SSH rules", func(nm *netmap.NetworkMap, n int) {
		nm.SSHPolicy = &tailcfg.SSHPolicy{Rules: make([]*tailcfg.SSHRule, 30*n)}
	}},
	{"services", func(nm *netmap.NetworkMap, n int) {
		peer := &tailcfg.Node{ID: 1, StableID: "a", Hostinfo: (&tailcfg.Hostinfo{Services: make([]tailcfg.Service, 30*n)}).View()}
		nm.Peers = []tailcfg.NodeView{peer.View()}
	}},
	{"capabilities of a peer", func(nm *netmap.NetworkMap, n int) {
		peer := &tailcfg.Node{ID: 1, StableID: "a", CapMap: make(tailcfg.NodeCapMap)}
		for i := range 10 * n {
			setCap(peer.CapMap, fmt.Sprint("cap", i))
		}
		nm.Peers = []tailcfg.NodeView{peer.View()}
	}},
	{"regions", func(nm *netmap.NetworkMap, n int) {
		nm.DERPMap = &tailcfg.DERPMap{}
		for i := range n {
			netmaptest.AddRegion(nm.DERPMap, i+1, &tailcfg.DERPRegion{RegionCode: "r"})
		}
	}},
	{"routes of DNS", func(nm *netmap.NetworkMap, n int) { nm.DNS.Domains = slices.Repeat([]string{"example.com"}, 30*n) }},
	{"a long name", func(nm *netmap.NetworkMap, n int) { nm.Domain = string(make([]byte, 1000*n)) }},
	{"a year beyond 9999", func(nm *netmap.NetworkMap, n int) {
		nm.Peers = []tailcfg.NodeView{(&tailcfg.Node{ID: 1, StableID: "a", KeyExpiry: time.Date(10_000+n, 1, 2, 3, 4, 5, 6, time.UTC)}).View()}
	}},
}

func setRules(nm *netmap.NetworkMap, n int, rule tailcfg.FilterRule) {
	rules := slices.Repeat([]tailcfg.FilterRule{rule}, n)
	nm.PacketFilterRules = views.SliceOf(rules)
	nm.PacketFilter, _ = filter.MatchesFromFilterRules(rules)
}

func setCap[M ~map[K]V, K ~string, V any](m M, name string) {
	var none V
	m[K(name)] = none
}

// TestExtremes: Load returns what Store accepts, however large or strange. Store refuses what couldn't be
// loaded, by an error that names the column, and what was stored before stays.
func TestExtremes(t *testing.T) {
	column := regexp.MustCompile(`"(self|node|misc|dns|derpmap|filter|ssh|peers-[0-9a-f]+|users-[0-9a-f]+)"`)
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		c := netmapcache.NewCache(s)
		before := netmaptest.Realistic(3, 1)
		mustStore(t, c, before)
		torture.Check(t, 4, 500, func(rt *rapid.T) {
			nm := netmaptest.Realistic(rapid.IntRange(0, 40).Draw(rt, "peers"), 1)
			if rapid.IntRange(0, 3).Draw(rt, "hostile") == 0 {
				nm = netmaptest.Hostile(rapid.Uint64().Draw(rt, "seed"))
			}
			for range rapid.IntRange(1, 3).Draw(rt, "extremes") {
				e := rapid.SampledFrom(extremes).Draw(rt, "extreme")
				e.to(nm, rapid.SampledFrom([]int{0, 1, 30, 300, 1000, 2000}).Draw(rt, "n"))
			}
			err := c.Store(t.Context(), nm)
			if err == nil {
				before = nm
			} else if !column.MatchString(err.Error()) {
				rt.Fatalf("Store: %v, which names no column", err)
			}
			got, err := netmapcache.NewCache(s).Load(t.Context())
			if err != nil {
				rt.Fatalf("Load: %v", err)
			}
			if diff := netmaptest.Diff(got, expected(before), contradictory); diff != "" {
				rt.Fatal(diff)
			}
		})
	})
}

// TestExtremesOneByOne: each of the extremes that control planes send is stored and loaded. The suite of the stores tests
// large values.
func TestExtremesOneByOne(t *testing.T) {
	s := memstore.New()
	for _, e := range extremes {
		c := netmapcache.NewCache(s)
		nm := *netmaptest.Realistic(3, 1)
		e.to(&nm, 1000)
		mustStore(t, c, &nm)
		checkLoad(t, c, s, &nm)
	}
}
