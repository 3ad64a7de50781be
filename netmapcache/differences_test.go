package netmapcache_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/util/set"
	"tailscale.com/wgengine/filter"
	"tailscale.com/wgengine/filter/filtertype"
)

// expected returns what loading nm should return. Its changes to nm are all the
// deliberate differences between a netmap and what is loaded after it was stored.
func expected(nm *netmap.NetworkMap) *netmap.NetworkMap {
	want := *nm

	want.Cached = true

	// Peers are in order of their IDs, as in netmaps. If peers
	// shared an ID, they would be in order of their stable IDs.
	want.Peers = slices.Clone(nm.Peers)
	slices.SortStableFunc(want.Peers, func(a, b tailcfg.NodeView) int {
		return cmp.Or(cmp.Compare(a.ID(), b.ID()), cmp.Compare(a.StableID(), b.StableID()))
	})

	// Derived fields follow from the self node and
	// the rules, whatever they were before.
	want.NodeKey = nm.SelfNode.Key()
	want.AllCaps = make(set.Set[tailcfg.NodeCapability])
	want.AllCaps.AddSlice(nm.SelfNode.Capabilities().AsSlice())
	for c := range nm.SelfNode.CapMap().All() {
		want.AllCaps.Add(c)
	}
	want.PacketFilter = nil
	if !nm.PacketFilterRules.IsNil() {
		want.PacketFilter, _ = filter.MatchesFromFilterRules(nm.PacketFilterRules.AsSlice())
	}
	return &want
}

// contradictory is one more difference, for a node whose display names contradict
// each other. The unexported one is restored from the others.
var contradictory = netmaptest.Ignore("tailcfg.Node.computedHostIfDifferent")

func mustMatches(t *testing.T, rules views.Slice[tailcfg.FilterRule]) []filtertype.Match {
	t.Helper()
	matches, err := filter.MatchesFromFilterRules(rules.AsSlice())
	if err != nil {
		t.Fatal(err)
	}
	return matches
}

// differencesFromUpstream are the deliberate differences between what is loaded
// here and what upstream's package loads of the same netmap, stored by each.
var differencesFromUpstream = []netmaptest.DiffOption{
	// Upstream loses this unexported field. Here it is restored.
	netmaptest.Ignore("tailcfg.Node.computedHostIfDifferent"),

	// Upstream loses an empty list or map if JSON leaves it out, and has
	// nil if there are no peers, users, or filter. Here nil and empty stay apart.
	netmaptest.NilIsEmpty(),
}

// TestLikeUpstream compares what upstream's package loads with what this one does.
func TestLikeUpstream(t *testing.T) {
	for _, peers := range []int{0, 50, 150} {
		t.Run(fmt.Sprint(peers), func(t *testing.T) { checkLikeUpstream(t, netmaptest.Realistic(peers, 2)) })
	}
	t.Run("hostile", func(t *testing.T) {
		for seed := range uint64(40) {
			checkLikeUpstream(t, netmaptest.HostileJSON(seed))
			if t.Failed() {
				t.Fatalf("with HostileJSON(%d)", seed)
			}
		}
	})
}

func checkLikeUpstream(t *testing.T, nm *netmap.NetworkMap) {
	t.Helper()
	theirStore, ourStore := make(anyKeyStore), memstore.New()
	theirs := upstream.NewCache(theirStore)
	if err := theirs.Store(t.Context(), nm); err != nil {
		t.Fatal(err)
	}
	want, err := theirs.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours := netmapcache.NewCache(ourStore)
	mustStore(t, ours, nm)
	if diff := netmaptest.Diff(mustLoad(t, ours), want, differencesFromUpstream...); diff != "" {
		t.Errorf("Load differs from upstream's:\n%s", diff)
	}

	// This package reads what upstream wrote. The first Store replaces it.
	c := netmapcache.NewCache(theirStore)
	if diff := netmaptest.Diff(mustLoad(t, c), want, differencesFromUpstream...); diff != "" {
		t.Errorf("Load of upstream's layout differs from upstream's:\n%s", diff)
	}
	if info, err := c.Info(t.Context()); err != nil || !info.Upstream {
		t.Errorf("Info of upstream's layout: got %+v, %v", info, err)
	}
	mustStore(t, c, nm)
	checkLoad(t, c, theirStore, nm)
	checkNoOrphans(t, theirStore)
}

// An anyKeyStore has only the four methods and, like upstream's store, accepts
// any key. It serves both packages.
type anyKeyStore map[string][]byte

func (s anyKeyStore) List(_ context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(s)) {
			if strings.HasPrefix(key, prefix) && !yield(key, nil) {
				return
			}
		}
	}
}

func (s anyKeyStore) Load(_ context.Context, key string) ([]byte, error) {
	if value, ok := s[key]; ok {
		return slices.Clone(value), nil
	}
	return nil, errors.Join(netmapcache.ErrKeyNotFound, upstream.ErrKeyNotFound)
}

func (s anyKeyStore) Store(_ context.Context, key string, value []byte) error {
	s[key] = slices.Clone(value)
	return nil
}

func (s anyKeyStore) Remove(_ context.Context, key string) error {
	delete(s, key)
	return nil
}

// TestMigrateByUpdate checks that an update also replaces upstream's layout.
func TestMigrateByUpdate(t *testing.T) {
	nm := netmaptest.Realistic(40, 5)
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		if err := upstream.NewCache(s).Store(t.Context(), nm); err != nil {
			t.Fatal(err)
		}
		c := netmapcache.NewCache(s)
		if err := c.UpdatePeers(t.Context(), nil, []tailcfg.StableNodeID{nm.Peers[0].StableID()}); err != nil {
			t.Fatal(err)
		}
		checkNoOrphans(t, s)
		if got := len(mustLoad(t, c).Peers); got != 39 {
			t.Errorf("got %d peers, want 39", got)
		}
	})
}

// TestNetworkMapFields checks that no field of a netmap is forgotten: each is
// set in a realistic netmap, and set again when that is loaded.
func TestNetworkMapFields(t *testing.T) {
	s := memstore.New()
	c := netmapcache.NewCache(s)
	nm := netmaptest.Realistic(20, 1)
	mustStore(t, c, nm)
	loaded := mustLoad(t, netmapcache.NewCache(s))
	for i, field := range reflect.VisibleFields(reflect.TypeFor[netmap.NetworkMap]()) {
		if field.Name != "Cached" && reflect.ValueOf(nm).Elem().Field(i).IsZero() {
			t.Errorf("netmaptest.Realistic leaves %s zero", field.Name)
		}
		if reflect.ValueOf(loaded).Elem().Field(i).IsZero() {
			t.Errorf("the loaded netmap leaves %s zero", field.Name)
		}
	}
}
