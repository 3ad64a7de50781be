package node

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// told is what a reader of news has of a network map: all of it as JSON values, peers and users by ID.
type told struct {
	Live   bool
	Netmap any
	Peers  map[string]any
	Users  map[string]any
}

// apply follows news and returns how many peers and users they had, or all parts if they were whole.
func (t *told) apply(text []byte) (parts int, whole bool, err error) {
	var news struct {
		Whole, Live bool
		Netmap      any
		Peers       []map[string]any
		Gone        []json.Number
		Users       map[string]any
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&news); err != nil {
		return 0, false, err
	}
	if news.Whole {
		*t = told{Peers: map[string]any{}, Users: map[string]any{}}
	}
	t.Live = news.Live
	if news.Netmap != nil {
		t.Netmap = news.Netmap
	}
	for _, id := range news.Gone {
		if _, ok := t.Peers[string(id)]; !ok {
			return 0, false, fmt.Errorf("peer %v is gone, but was not there", id)
		}
		delete(t.Peers, string(id))
	}
	for _, p := range news.Peers {
		t.Peers[fmt.Sprint(p["ID"])] = p
	}
	for id, user := range news.Users {
		if user == nil {
			delete(t.Users, id)
		} else {
			t.Users[id] = user
		}
	}
	return len(news.Peers) + len(news.Gone) + len(news.Users), news.Whole, nil
}

// check compares what was told with all of nm.
func (t *told) check(tb testing.TB, nm *netmap.NetworkMap) {
	tb.Helper()
	text, err := new(Follower).Next(nm, false)
	if err != nil {
		tb.Fatal(err)
	}
	var want told
	if _, whole, err := want.apply(text); err != nil || !whole {
		tb.Fatal(whole, err)
	}
	if len(want.Peers) != len(nm.Peers) || len(want.Users) != len(nm.UserProfiles) {
		tb.Fatalf("whole news have %d peers, %d users; want %d and %d", len(want.Peers), len(want.Users), len(nm.Peers), len(nm.UserProfiles))
	}
	if rest := t.Netmap.(map[string]any); rest["Peers"] != nil || rest["UserProfiles"] != nil {
		tb.Fatal("all peers or users are told with the rest of the network map")
	}
	if !reflect.DeepEqual(*t, want) {
		tb.Fatalf("what was told is %v, want %v", *t, want)
	}
}

func TestNews(t *testing.T) {
	nm := netmaptest.Realistic(60, 1)
	userID := slices.Sorted(maps.Keys(nm.UserProfiles))[0]
	noUser := *nm
	noUser.UserProfiles = maps.Clone(nm.UserProfiles)
	delete(noUser.UserProfiles, userID)
	cached := *nm
	cached.Cached = true
	tests := []struct {
		name  string
		to    *netmap.NetworkMap
		whole bool // wanted
		parts int  // peers and users that are told; -1 for all
	}{
		{"nothing", nm, false, 0},
		{"all of it", nm, true, -1},
		{"a peer", netmaptest.WithPeerChanged(nm, 7, 1), false, 1},
		{"the first and last peer gone", netmaptest.WithPeersRemoved(nm, 0, 59), false, 2},
		{"all peers gone", netmaptest.WithPeersRemoved(nm, indices(60)...), false, 60},
		{"the device itself", netmaptest.WithSelfChanged(nm, 1), false, 0},
		{"packet filter", netmaptest.WithFilterChanged(nm, 1), false, 0},
		{"a user", netmaptest.WithUserChanged(nm, userID, 1), false, 1},
		{"a user gone", &noUser, false, 1},
		{"equal but not the same", netmaptest.FreshPointers(nm), false, 60 + len(nm.UserProfiles)},
		{"from elsewhere", &cached, false, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f Follower
			var reader told
			for i, to := range []*netmap.NetworkMap{nm, tt.to, nm} {
				text, err := f.Next(to, i == 1 && tt.whole)
				if err != nil {
					t.Fatal(err)
				}
				parts, whole, err := reader.apply(text)
				if err != nil {
					t.Fatal(err)
				}
				reader.check(t, to)
				if i != 1 {
					continue
				}
				if whole != (tt.parts == -1) {
					t.Errorf("whole: %v", whole)
				}
				if !whole && parts != tt.parts {
					t.Errorf("%d peers and users are told, want %d", parts, tt.parts)
				}
			}
		})
	}
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func TestNewsAfterNone(t *testing.T) {
	nm := netmaptest.Realistic(5, 1)
	var f Follower
	for _, step := range []*netmap.NetworkMap{nil, nm, nil, nm} {
		text, err := f.Next(step, false)
		if err != nil {
			t.Fatal(err)
		}
		if step == nil {
			if text != nil {
				t.Errorf("news of no network map: %s", text)
			}
			continue
		}
		var reader told
		if _, whole, err := reader.apply(text); err != nil || !whole {
			t.Errorf("whole: %v, %v", whole, err)
		}
		reader.check(t, step)
	}
}

// JavaScript would round numbers above 2^53: it is told strings.
func TestNewsOfLargeNumbers(t *testing.T) {
	const large, text = 1<<53 + 1, `"9007199254740993"`
	node := func(id tailcfg.NodeID) tailcfg.NodeView {
		return (&tailcfg.Node{ID: id, StableID: "n", User: large, Sharer: large}).View()
	}
	nm := &netmap.NetworkMap{
		SelfNode:  node(large),
		Peers:     []tailcfg.NodeView{node(large)},
		SSHPolicy: &tailcfg.SSHPolicy{Rules: []*tailcfg.SSHRule{{Action: &tailcfg.SSHAction{SessionDuration: large}}}},
		UserProfiles: map[tailcfg.UserID]tailcfg.UserProfileView{
			large: (&tailcfg.UserProfile{ID: large}).View(),
		},
	}
	without := *nm
	without.Peers = nil
	var f Follower
	// IDs of two nodes, each with user and sharer; duration; key and ID of the user.
	for _, step := range []struct {
		nm      *netmap.NetworkMap
		strings int
	}{{nm, 3 + 3 + 1 + 2}, {&without, 1}} {
		news, err := f.Next(step.nm, false)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(news), text); n != step.strings || strings.Count(string(news), "9007199254740993") != n {
			t.Errorf("%d strings, want %d: %s", n, step.strings, news)
		}
	}
}

// Any sequence of changes, of which news are told now and then.
func TestNewsOfManyChanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	nm := netmaptest.Realistic(40, 1)
	var f Follower
	var reader told
	for seed := range uint64(300) {
		n := len(nm.Peers)
		switch k := rng.IntN(6); {
		case k == 0 && n > 5:
			nm = netmaptest.WithPeersRemoved(nm, rng.IntN(n))
		case k == 1:
			nm = netmaptest.WithPeersAdded(nm, 1+rng.IntN(3), seed)
		case k == 2:
			ids := slices.Sorted(maps.Keys(nm.UserProfiles))
			nm = netmaptest.WithUserChanged(nm, ids[rng.IntN(len(ids))], seed)
		case k == 3:
			nm = netmaptest.WithFilterChanged(nm, seed)
		default:
			nm = netmaptest.WithPeerChanged(nm, rng.IntN(n), seed)
		}
		if rng.IntN(2) == 0 {
			continue
		}
		first := f.netmap == nil
		text, err := f.Next(nm, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, whole, err := reader.apply(text); err != nil || whole != first {
			t.Fatal(whole, err)
		}
		reader.check(t, nm)
	}
}
