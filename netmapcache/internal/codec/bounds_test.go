package codec

import (
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
)

// kindOf maps the names of columns to their kinds.
var kindOf = map[string]format.Kind{
	"node": format.KindNode, "misc": format.KindMisc, "dns": format.KindDNS, "derpmap": format.KindDERPMap,
	"filter": format.KindFilter, "ssh": format.KindSSH, "peers": format.KindPeers, "users": format.KindUsers,
}

// TestCheck: what Check passes is decoded, and what it doesn't isn't, be it as strange as can be.
func TestCheck(t *testing.T) {
	forEach(t, 100, func(t *testing.T, c column, v any) {
		kind, ok := kindOf[c.name]
		if !ok {
			return
		}
		if err := Check(kind, c.append(nil, v)); err != nil {
			t.Error(err)
		}
	})
	t.Run("extreme", func(t *testing.T) {
		for seed := range uint64(40) {
			rng := rand.New(rand.NewPCG(seed, 7))
			for name, data := range extremes(rng) {
				_, err := columnNamed(t, name).decode(data)
				if got := Check(kindOf[name], data); (got == nil) != (err == nil) {
					t.Errorf("seed %d: %s of %d bytes: Check says %v, decoding %v", seed, name, len(data), got, err)
				}
				if err != nil {
					t.Errorf("seed %d: %s of %d bytes is refused: %v", seed, name, len(data), err)
				}
			}
		}
	})
}

// extremes returns columns of lists that are as long as a control plane might make them, with elements that are
// random, the same, or nearly empty.
func extremes(rng *rand.Rand) map[string][]byte {
	n := 1 << rng.IntN(15)
	nodes, services := make([]tailcfg.NodeView, n), make([]tailcfg.Service, n)
	rules, ssh, users := make([]tailcfg.FilterRule, n), make([]*tailcfg.SSHRule, n), make([]format.User, n)
	grant := tailcfg.CapGrant{Dsts: make([]netip.Prefix, n)}
	dns := &tailcfg.DNSConfig{ExtraRecords: make([]tailcfg.DNSRecord, n)}
	relays := new(tailcfg.DERPMap)
	messages := make(map[tailcfg.DisplayMessageID]tailcfg.DisplayMessage, n)
	few := rng.IntN(3) // elements that are filled, of each 1000
	for i := range n {
		node := &tailcfg.Node{ID: tailcfg.NodeID(i)}
		ssh[i] = &tailcfg.SSHRule{Action: new(tailcfg.SSHAction), Principals: []*tailcfg.SSHPrincipal{{Any: true}}}
		users[i] = format.User{ID: tailcfg.UserID(i), Profile: new(tailcfg.UserProfile)}
		region := new(tailcfg.DERPRegion)
		if rng.IntN(1000) < few {
			for _, p := range []any{node, ssh[i], users[i].Profile, &rules[i], &services[i], &dns.ExtraRecords[i]} {
				netmaptest.Fill(rng, p)
			}
		}
		nodes[i] = node.View()
		netmaptest.AddRegion(relays, i, region)
		messages[tailcfg.DisplayMessageID(strings.Repeat("x", i%3)+string(rune('a'+i%26))+string(rune(0x100+i)))] = tailcfg.DisplayMessage{}
	}
	rules[0].CapGrant = []tailcfg.CapGrant{grant}
	self := &tailcfg.Node{Hostinfo: (&tailcfg.Hostinfo{Services: services}).View(), Tags: make([]string, n)}
	return map[string][]byte{
		"peers": AppendPeers(nil, nodes), "node": AppendNode(nil, self.View()), "filter": AppendFilter(nil, rules),
		"ssh": AppendSSH(nil, &tailcfg.SSHPolicy{Rules: ssh}), "users": appendUsers(nil, &users), "dns": AppendDNS(nil, dns),
		"derpmap": AppendDERPMap(nil, relays), "misc": AppendMisc(nil, &format.Misc{DisplayMessages: messages}),
	}
}

func TestCheckRefuses(t *testing.T) {
	infinite := unknownOf(reflect.TypeFor[future](), futureNames)
	e := newEncoder(nil)
	m := e.open()
	infinite.encode(e, unsafe.Pointer(&future{Ratio: math.Inf(1)}))
	e.close(m)
	for _, tt := range []struct {
		kind format.Kind
		data []byte
	}{
		{format.KindNode, e.done()},
		{format.KindMisc, AppendMisc(nil, &format.Misc{Unknown: noJSON})},
		{format.KindFilter, AppendFilter(nil, make([]tailcfg.FilterRule, 2*slackMaps))},
		{format.KindSSH, AppendSSH(nil, &tailcfg.SSHPolicy{Rules: slices.Repeat([]*tailcfg.SSHRule{{}}, 2*slackMaps)})},
		{format.KindMisc, AppendMisc(nil, &format.Misc{Domain: strings.Repeat("x", MaxBytes)})},
	} {
		if err := Check(tt.kind, tt.data); err == nil {
			t.Errorf("kind %d, %d bytes: no error", tt.kind, len(tt.data))
		}
	}
}

func TestCheckRoot(t *testing.T) {
	// of n peers, or users, in as many columns, of size bytes each
	root := func(kind format.Kind, n, columns, size uint64) *format.Root {
		r := new(format.Root)
		for i := range columns {
			r.Columns = append(r.Columns, format.Column{Kind: kind, Part: i, Count: n / columns, Size: size * n / columns})
		}
		return r
	}
	for _, tt := range []struct {
		name string
		root *format.Root
		want error
	}{
		{"nothing", new(format.Root), nil},
		{"a large tailnet", root(format.KindPeers, 100_000, 512, 600), nil},
		{"a hundred times that", root(format.KindPeers, 10_000_000, 8192, 600), nil},
		{"nearly empty peers", root(format.KindPeers, 30_000, 256, 5), nil},
		{"empty peers in many columns", root(format.KindPeers, 620_000, 620, 1), errMembers},
		{"nearly empty users", root(format.KindUsers, 100_000, 128, 7), nil},
		{"empty users", root(format.KindUsers, 1_000_000, 20, 3), errMembers},
		{"more peers than bytes", &format.Root{Columns: []format.Column{{Kind: format.KindPeers, Count: 2, Size: 1}}}, errCount},
		{"too large", &format.Root{Columns: []format.Column{{Kind: format.KindDNS, Count: 1, Size: MaxBytes + 1}}}, errCount},
	} {
		if err := CheckRoot(tt.root); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestCheckCount(t *testing.T) {
	for _, tt := range []struct {
		kind  format.Kind
		data  string
		count uint64
		ok    bool
	}{
		{format.KindNode, "\xa0", 1, true},
		{format.KindNode, "\xa0", 2, false},
		{format.KindPeers, "\x80", 0, true},
		{format.KindPeers, "\x82\xa0\xa0", 2, true},
		{format.KindUsers, "\x82\xa0\xa0", 1, false},
		{format.KindFilter, "\x9a\x00\x01\x00\x00", 1 << 16, true},
		{format.KindFilter, "\x9a\x00", 0, false},
		{format.KindFilter, "\xa0", 0, false},
		{format.KindFilter, "", 0, false},
	} {
		if err := CheckCount(format.Column{Kind: tt.kind, Count: tt.count}, []byte(tt.data)); (err == nil) != tt.ok {
			t.Errorf("kind %d, %x, %d: got %v", tt.kind, tt.data, tt.count, err)
		}
	}
}
