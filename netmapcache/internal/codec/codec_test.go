package codec

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
)

// notStored is the unexported part of display names, which the cache rebuilds.
var notStored = netmaptest.Ignore("tailcfg.Node.computedHostIfDifferent")

// A column is one of the values that this package encodes, with its type
// erased.
type column struct {
	name   string
	rule   string // in docs/format.cddl
	fill   func(*rand.Rand) any
	append func([]byte, any) []byte
	decode func([]byte) (any, error)
}

// columnOf returns a column of values of type T.
func columnOf[T any](name, rule string, appendTo func([]byte, *T) []byte, decode func([]byte) (*T, error)) column {
	return column{
		name: name,
		rule: rule,
		fill: func(rng *rand.Rand) any {
			v := new(T)
			netmaptest.Fill(rng, v)
			return v
		},
		append: func(dst []byte, v any) []byte { return appendTo(dst, v.(*T)) },
		decode: func(data []byte) (any, error) {
			v, err := decode(data)
			return v, err
		},
	}
}

var columns = []column{
	columnOf("root", "root", AppendRoot, DecodeRoot),
	columnOf("node", "node", func(dst []byte, n *tailcfg.Node) []byte { return AppendNode(dst, n.View()) }, DecodeNode),
	columnOf("misc", "misc", AppendMisc, DecodeMisc).filled(func(rng *rand.Rand) any {
		m := new(format.Misc)
		netmaptest.Fill(rng, m)
		m.Unknown = []format.JSONObject{"", "{}", `{"é":[1.50,null]}`}[rng.IntN(3)]
		return m
	}),
	columnOf("dns", "dns-config", AppendDNS, DecodeDNS),
	columnOf("derpmap", "derp-map", AppendDERPMap, DecodeDERPMap),
	columnOf("ssh", "ssh-policy", AppendSSH, DecodeSSH),
	columnOf("filter", "filter",
		func(dst []byte, rules *[]tailcfg.FilterRule) []byte { return AppendFilter(dst, *rules) },
		func(data []byte) (*[]tailcfg.FilterRule, error) {
			rules, err := DecodeFilter(data)
			return &rules, err
		}).filled(func(rng *rand.Rand) any {
		rules := make([]tailcfg.FilterRule, rng.IntN(5))
		for i := range rules {
			netmaptest.Fill(rng, &rules[i])
		}
		return &rules
	}),
	columnOf("peers", "peers", appendNodes,
		func(data []byte) (*[]*tailcfg.Node, error) {
			peers, err := DecodePeers(data)
			return &peers, err
		}).filled(func(rng *rand.Rand) any {
		peers := make([]*tailcfg.Node, rng.IntN(5))
		for i := range peers {
			peers[i] = new(tailcfg.Node)
			netmaptest.Fill(rng, peers[i])
		}
		return &peers
	}),
	columnOf("users", "users", appendUsers,
		func(data []byte) (*[]format.User, error) {
			users, err := DecodeUsers(data)
			return &users, err
		}).filled(func(rng *rand.Rand) any {
		users := make([]format.User, rng.IntN(5))
		for i := range users {
			netmaptest.Fill(rng, &users[i])
		}
		return &users
	}),
}

func (c column) filled(fill func(*rand.Rand) any) column {
	c.fill = fill
	return c
}

func appendNodes(dst []byte, nodes *[]*tailcfg.Node) []byte {
	var views []tailcfg.NodeView
	for _, n := range *nodes {
		views = append(views, n.View())
	}
	return AppendPeers(dst, views)
}

// appendUsers appends users one by one, since their IDs may be equal.
func appendUsers(dst []byte, users *[]format.User) []byte {
	dst = appendHead(dst, majorArray, uint64(len(*users)))
	for _, u := range *users {
		one := AppendUsers(nil, []tailcfg.UserID{u.ID}, map[tailcfg.UserID]tailcfg.UserProfileView{u.ID: u.Profile.View()})
		dst = append(dst, one[1:]...)
	}
	return dst
}

// forEach calls test for values of all columns: filled at random, with edge values,
// from several seeds.
func forEach(t *testing.T, seeds int, test func(t *testing.T, c column, v any)) {
	for _, c := range columns {
		t.Run(c.name, func(t *testing.T) {
			for seed := range seeds {
				test(t, c, c.fill(rand.New(rand.NewPCG(uint64(seed), 0))))
				if t.Failed() {
					t.Fatalf("with seed %d", seed)
				}
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	forEach(t, 300, func(t *testing.T, c column, v any) {
		data := c.append(nil, v)
		got, err := c.decode(data)
		if err != nil {
			t.Fatalf("decode: %v\n%s", err, diagnose(data))
		}
		if diff := netmaptest.Diff(got, v, notStored); diff != "" {
			t.Errorf("decoded value differs:\n%s%s", diff, diagnose(data))
		}
	})
}

func TestRoundTripNetmap(t *testing.T) {
	nm := netmaptest.Realistic(100, 1)
	data := AppendPeers(nil, nm.Peers)
	peers, err := DecodePeers(data)
	if err != nil {
		t.Fatal(err)
	}
	var got []tailcfg.NodeView
	for _, p := range peers {
		got = append(got, p.View())
	}
	if diff := netmaptest.Diff(got, nm.Peers, notStored); diff != "" {
		t.Error(diff)
	}
	t.Logf("%d bytes a peer", len(data)/len(peers))

	ids := slices.Sorted(maps.Keys(nm.UserProfiles))
	users, err := DecodeUsers(AppendUsers(nil, ids, nm.UserProfiles))
	if err != nil {
		t.Fatal(err)
	}
	profiles := map[tailcfg.UserID]tailcfg.UserProfileView{}
	for i, u := range users {
		if u.ID != ids[i] {
			t.Errorf("user %d is %v, want %v", i, u.ID, ids[i])
		}
		profiles[u.ID] = u.Profile.View()
	}
	if diff := netmaptest.Diff(profiles, nm.UserProfiles); diff != "" {
		t.Error(diff)
	}
}

func TestDeterministic(t *testing.T) {
	forEach(t, 50, func(t *testing.T, c column, v any) {
		data := c.append(nil, v)
		prefix := []byte("prefix")
		if again := c.append(prefix, v); !bytes.Equal(again, slices.Concat(prefix, data)) {
			t.Error("encoded again, and after a prefix, the value gives other bytes")
		}
		got, err := c.decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if again := c.append(nil, got); !bytes.Equal(again, data) {
			t.Error("the decoded value gives other bytes")
		}
	})
}

func TestConcurrent(t *testing.T) {
	nm := netmaptest.Realistic(32, 1)
	want := AppendPeers(nil, nm.Peers)
	errs := make(chan error)
	for range 8 {
		go func() {
			for range 20 {
				if !bytes.Equal(AppendPeers(nil, nm.Peers), want) {
					errs <- fmt.Errorf("other bytes")
					return
				}
			}
			errs <- nil
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
