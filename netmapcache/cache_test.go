package netmapcache_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/plainstore"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

func mustStore(t *testing.T, c *netmapcache.Cache, nm *netmap.NetworkMap) {
	t.Helper()
	if err := c.Store(t.Context(), nm); err != nil {
		t.Fatalf("Store: %v", err)
	}
}

func mustLoad(t *testing.T, c *netmapcache.Cache) *netmap.NetworkMap {
	t.Helper()
	nm, err := c.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return nm
}

// checkLoad checks that c and a new Cache on s both load want.
func checkLoad(t *testing.T, c *netmapcache.Cache, s netmapcache.Store, want *netmap.NetworkMap, opts ...netmaptest.DiffOption) {
	t.Helper()
	if diff := netmaptest.Diff(mustLoad(t, c), expected(want), opts...); diff != "" {
		t.Errorf("Load differs from what was stored:\n%s", diff)
	}
	if diff := netmaptest.Diff(mustLoad(t, netmapcache.NewCache(s)), expected(want), opts...); diff != "" {
		t.Errorf("Load by a new Cache differs from what was stored:\n%s", diff)
	}
}

// contents returns all that s holds.
func contents(t *testing.T, s netmapcache.Store) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for key, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		value, err := s.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		all[key] = string(value)
	}
	return all
}

// written returns the names of the columns in after that before lacks, or
// has with another value.
func written(before, after map[string]string) []string {
	var names []string
	for key, value := range after {
		if old, ok := before[key]; !ok || old != value {
			name, _, _ := strings.Cut(key, ".")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// checkNoOrphans checks that s holds nothing but what the snapshot needs.
func checkNoOrphans(t *testing.T, s netmapcache.Store) {
	t.Helper()
	info, err := netmapcache.NewCache(s).Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if all := contents(t, s); len(all) != info.Columns+1 {
		t.Errorf("store holds %d keys for %d columns and the root: %q", len(all), info.Columns, slices.Sorted(maps.Keys(all)))
	}
}

// change returns a copy of the node of v after f.
func change(v tailcfg.NodeView, f func(*tailcfg.Node)) tailcfg.NodeView {
	n := v.AsStruct()
	f(n)
	return n.View()
}

func TestNewCache(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("NewCache(nil) did not panic")
		}
	}()
	netmapcache.NewCache(nil)
}

func TestRoundTrip(t *testing.T) {
	tests := []struct {
		name string
		nm   *netmap.NetworkMap
	}{
		{"no peers", netmaptest.Realistic(0, 1)},
		{"one peer", netmaptest.Realistic(1, 1)},
		{"some peers", netmaptest.Realistic(60, 1)},
		{"many peers", netmaptest.Realistic(700, 1)},
		{"self only", &netmap.NetworkMap{SelfNode: (&tailcfg.Node{User: 1}).View()}},
		{"empty, not nil", &netmap.NetworkMap{
			SelfNode:          (&tailcfg.Node{User: 1}).View(),
			Peers:             []tailcfg.NodeView{},
			UserProfiles:      map[tailcfg.UserID]tailcfg.UserProfileView{},
			PacketFilterRules: views.SliceOf([]tailcfg.FilterRule{}),
			DERPMap:           &tailcfg.DERPMap{},
			SSHPolicy:         &tailcfg.SSHPolicy{},
			DisplayMessages:   map[tailcfg.DisplayMessageID]tailcfg.DisplayMessage{},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s netmapcache.Store) {
				c := netmapcache.NewCache(s)
				mustStore(t, c, tt.nm)
				if !mustLoad(t, c).Cached {
					t.Error("loaded netmap is not marked as cached")
				}
				checkLoad(t, c, s, tt.nm)
				checkNoOrphans(t, s)
			})
		})
	}
}

func TestRoundTripHostile(t *testing.T) {
	for seed := range uint64(60) {
		s := memstore.New()
		c := netmapcache.NewCache(s)
		nm := netmaptest.Hostile(seed)
		mustStore(t, c, nm)
		checkLoad(t, c, s, nm, contradictory)
		if t.Failed() {
			t.Fatalf("with Hostile(%d)", seed)
		}
	}
}

// TestDeterministic checks that one netmap has one encoding.
func TestDeterministic(t *testing.T) {
	a, b := memstore.New(), memstore.New()
	mustStore(t, netmapcache.NewCache(a), netmaptest.Realistic(100, 7))
	mustStore(t, netmapcache.NewCache(b), netmaptest.Realistic(100, 7))
	if diff := written(contents(t, a), contents(t, b)); !slices.Equal(diff, []string{"self"}) {
		t.Errorf("columns that differ: %q", diff)
	}
}

// TestWrites checks what a call writes after Realistic(700) was stored.
func TestWrites(t *testing.T) {
	nm := netmaptest.Realistic(700, 3)
	one := netmaptest.WithPeerChanged(nm, 17, 5)
	tests := []struct {
		name string
		call func(ctx context.Context, c *netmapcache.Cache) error
		want []string // names of columns; a star stands for the index of a part
	}{
		{"the same", func(ctx context.Context, c *netmapcache.Cache) error { return c.Store(ctx, nm) }, nil},
		{"equal values", func(ctx context.Context, c *netmapcache.Cache) error {
			return c.Store(ctx, netmaptest.FreshPointers(nm))
		}, nil},
		{"one peer changed", func(ctx context.Context, c *netmapcache.Cache) error { return c.Store(ctx, one) },
			[]string{"peers-*", "self"}},
		{"UpdatePeers, one", func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdatePeers(ctx, one.Peers[17:18], nil)
		}, []string{"peers-*", "self"}},
		{"UpdatePeers, the same", func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdatePeers(ctx, nm.Peers[17:18], nil)
		}, nil},
		{"UpdatePeers, none", func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdatePeers(ctx, nil, []tailcfg.StableNodeID{"unknown"})
		}, nil},
		{"UpdateSelfOnly, the same", func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdateSelfOnly(ctx, nm)
		}, nil},
		{"UpdateSelfOnly", func(ctx context.Context, c *netmapcache.Cache) error {
			next := *nm
			next.Domain = "example.org"
			return c.UpdateSelfOnly(ctx, &next)
		}, []string{"misc", "self"}},
		{"UpdateUserProfiles", func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdateUserProfiles(ctx, map[tailcfg.UserID]tailcfg.UserProfileView{
				4: (&tailcfg.UserProfile{ID: 4}).View(),
			})
		}, []string{"self", "users-*"}},
		{"UpdatePacketFilter", func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdatePacketFilter(ctx, views.SliceOf(tailcfg.FilterAllowAll))
		}, []string{"filter", "self"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s netmapcache.Store) {
				c := netmapcache.NewCache(s)
				mustStore(t, c, nm)
				before := contents(t, s)
				if err := tt.call(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				got := written(before, contents(t, s))
				for i, name := range got {
					if kind, _, ok := strings.Cut(name, "-"); ok {
						got[i] = kind + "-*"
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("wrote %q, want %q", got, tt.want)
				}
				checkNoOrphans(t, s)
			})
		})
	}
}

// TestNotStored checks the netmaps that are not stored.
func TestNotStored(t *testing.T) {
	cached := *netmaptest.Realistic(2, 1)
	cached.Cached = true
	tests := []struct {
		name    string
		nm      *netmap.NetworkMap
		wantErr string
	}{
		{"nil", nil, ""},
		{"cached", &cached, ""},
		{"no self node", &netmap.NetworkMap{}, "no user in netmap"},
		{"no user", &netmap.NetworkMap{SelfNode: (&tailcfg.Node{ID: 1}).View()}, "no user in netmap"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := memstore.New()
			c := netmapcache.NewCache(s)
			calls := map[string]func(context.Context, *netmap.NetworkMap) error{"Store": c.Store, "UpdateSelfOnly": c.UpdateSelfOnly}
			for name, call := range calls {
				err := call(t.Context(), tt.nm)
				if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
					t.Errorf("%s: got error %v, want %q", name, err, tt.wantErr)
				}
			}
			if all := contents(t, s); len(all) != 0 {
				t.Errorf("store holds %d keys, want none", len(all))
			}
		})
	}
}

func TestUpdates(t *testing.T) {
	nm := netmaptest.Realistic(120, 2)
	changed := change(nm.Peers[5], func(n *tailcfg.Node) { n.Name = "changed.example.ts.net." })
	added := (&tailcfg.Node{ID: 1 << 40, StableID: "nADDED", Name: "added.example.ts.net."}).View()
	rules := views.SliceOf(tailcfg.FilterAllowAll)
	profile := (&tailcfg.UserProfile{ID: 1 << 41, LoginName: "new@example.com"}).View()

	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		c := netmapcache.NewCache(s)
		mustStore(t, c, nm)
		want := *nm

		t.Run("peers", func(t *testing.T) {
			gone := nm.Peers[9].StableID()
			if err := c.UpdatePeers(t.Context(), []tailcfg.NodeView{added, changed, nm.Peers[9]}, []tailcfg.StableNodeID{gone}); err != nil {
				t.Fatal(err)
			}
			want.Peers = slices.Clone(nm.Peers)
			want.Peers[5] = changed
			want.Peers = append(slices.Delete(want.Peers, 9, 10), added)
			checkLoad(t, c, s, &want)
		})
		t.Run("profiles", func(t *testing.T) {
			if err := c.UpdateUserProfiles(t.Context(), map[tailcfg.UserID]tailcfg.UserProfileView{profile.ID(): profile}); err != nil {
				t.Fatal(err)
			}
			want.UserProfiles = maps.Clone(nm.UserProfiles)
			want.UserProfiles[profile.ID()] = profile
			checkLoad(t, c, s, &want)
		})
		t.Run("filter", func(t *testing.T) {
			if err := c.UpdatePacketFilter(t.Context(), rules); err != nil {
				t.Fatal(err)
			}
			want.PacketFilterRules = rules
			want.PacketFilter = mustMatches(t, rules)
			checkLoad(t, c, s, &want)
		})
		t.Run("self", func(t *testing.T) {
			next := want
			next.Peers, next.UserProfiles = nil, nil
			next.SSHPolicy = nil
			next.DERPMap = &tailcfg.DERPMap{OmitDefaultRegions: true}
			if err := c.UpdateSelfOnly(t.Context(), &next); err != nil {
				t.Fatal(err)
			}
			want.SSHPolicy, want.DERPMap = nil, next.DERPMap
			checkLoad(t, c, s, &want)
		})
		t.Run("by a new Cache", func(t *testing.T) {
			fresh := netmapcache.NewCache(s)
			if err := fresh.UpdatePeers(t.Context(), nil, []tailcfg.StableNodeID{added.StableID()}); err != nil {
				t.Fatal(err)
			}
			want.Peers = want.Peers[:len(want.Peers)-1]
			checkLoad(t, fresh, s, &want)
		})
		checkNoOrphans(t, s)
	})
}

// TestGrowth: a netmap survives when its peers are divided anew, and
// the stored values don't depend on the history.
func TestGrowth(t *testing.T) {
	big := netmaptest.Realistic(400, 4)
	s := memstore.New()
	c := netmapcache.NewCache(s)
	nm := *big
	nm.Peers = nil
	mustStore(t, c, &nm)
	for i, p := range big.Peers {
		if err := c.UpdatePeers(t.Context(), []tailcfg.NodeView{p}, nil); err != nil {
			t.Fatal(err)
		}
		if i%97 == 0 || i == len(big.Peers)-1 {
			nm.Peers = big.Peers[:i+1]
			checkLoad(t, c, s, &nm)
		}
	}
	for i, p := range big.Peers {
		if err := c.UpdatePeers(t.Context(), nil, []tailcfg.StableNodeID{p.StableID()}); err != nil {
			t.Fatal(err)
		}
		if i%97 == 0 || i == len(big.Peers)-1 {
			nm.Peers = slices.Concat([]tailcfg.NodeView{}, big.Peers[i+1:])
			if nm.Peers == nil {
				nm.Peers = []tailcfg.NodeView{}
			}
			checkLoad(t, c, s, &nm)
		}
	}
	checkNoOrphans(t, s)
}

// TestNothingToUpdate checks updates without a stored snapshot.
func TestNothingToUpdate(t *testing.T) {
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		c := netmapcache.NewCache(s)
		check := func(t *testing.T) {
			t.Helper()
			calls := map[string]error{
				"UpdatePeers":        c.UpdatePeers(t.Context(), nil, nil),
				"UpdateUserProfiles": c.UpdateUserProfiles(t.Context(), nil),
				"UpdatePacketFilter": c.UpdatePacketFilter(t.Context(), views.Slice[tailcfg.FilterRule]{}),
			}
			for name, err := range calls {
				if !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
					t.Errorf("%s: got %v, want %v", name, err, netmapcache.ErrCacheNotAvailable)
				}
			}
			if all := contents(t, s); len(all) != 0 {
				t.Errorf("store holds %d keys, want none", len(all))
			}
		}
		t.Run("empty", check)
		mustStore(t, c, netmaptest.Realistic(3, 1))
		if err := netmapcache.NewCache(s).Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Run("cleared by another", check)

		nm := netmaptest.Realistic(3, 1)
		mustStore(t, c, nm)
		if err := netmapcache.NewCache(s).Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.UpdateSelfOnly(t.Context(), nm); err != nil {
			t.Fatal(err)
		}
		want := *nm
		want.Peers, want.UserProfiles = nil, nil
		checkLoad(t, c, s, &want)
	})
}

// TestUntidyPeers: peers have stable IDs that no sane control plane sends.
func TestUntidyPeers(t *testing.T) {
	peer := func(id tailcfg.NodeID, stable tailcfg.StableNodeID, name string) tailcfg.NodeView {
		return (&tailcfg.Node{ID: id, StableID: stable, Name: name}).View()
	}
	long := tailcfg.StableNodeID(strings.Repeat("n", 5000))
	nm := &netmap.NetworkMap{
		SelfNode: (&tailcfg.Node{User: 1}).View(),
		Peers: []tailcfg.NodeView{
			peer(1, "", "a"), peer(2, "", "b"), peer(3, "same", "c"), peer(4, "same", "d"), peer(4, "same", "e"),
			peer(5, long, "f"), peer(6, "\xff/..\x00", "g"),
		},
	}
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		c := netmapcache.NewCache(s)
		mustStore(t, c, nm)
		checkLoad(t, c, s, nm)

		steps := []struct {
			name   string
			update tailcfg.NodeView
			remove []tailcfg.StableNodeID
			want   string
		}{
			{"long stable ID", peer(5, long, "F"), nil, "abcdeFg"},
			{"odd stable ID", peer(6, "\xff/..\x00", "G"), nil, "abcdeFG"},
			{"no stable ID", peer(2, "", "B"), nil, "aBcdeFG"},
			{"shared stable ID, known ID", peer(3, "same", "C"), nil, "aBCdeFG"},
			{"shared stable ID and ID", peer(4, "same", "D"), nil, "aBCDFG"},
			{"shared stable ID, new ID", peer(7, "same", "H"), nil, "aBFGH"},
			{"removed by no stable ID", peer(8, "I", "I"), []tailcfg.StableNodeID{""}, "FGHI"},
		}
		for _, step := range steps {
			if err := c.UpdatePeers(t.Context(), []tailcfg.NodeView{step.update}, step.remove); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			var names string
			for _, p := range mustLoad(t, c).Peers {
				names += p.Name()
			}
			if names != step.want {
				t.Errorf("%s: peers are %q, want %q", step.name, names, step.want)
			}
		}
	})
}

// TestTooLarge checks that nothing is stored that could not be loaded again.
func TestTooLarge(t *testing.T) {
	s := memstore.New()
	c := netmapcache.NewCache(s)
	good := netmaptest.Realistic(3, 1)
	mustStore(t, c, good)
	nm := *good
	nm.Domain = strings.Repeat("x", 64<<20)
	for name, call := range map[string]func(context.Context, *netmap.NetworkMap) error{"Store": c.Store, "UpdateSelfOnly": c.UpdateSelfOnly} {
		if err := call(t.Context(), &nm); err == nil || !strings.Contains(err.Error(), `"misc"`) {
			t.Errorf("%s: got %v, want an error that names misc", name, err)
		}
	}
	checkLoad(t, c, s, good)
}

// TestInvalidViews checks that invalid views are left out.
func TestInvalidViews(t *testing.T) {
	s := memstore.New()
	c := netmapcache.NewCache(s)
	good := netmaptest.Realistic(3, 1)
	nm := *good
	nm.Peers = append(slices.Clone(good.Peers), tailcfg.NodeView{})
	nm.UserProfiles = maps.Clone(good.UserProfiles)
	nm.UserProfiles[99] = tailcfg.UserProfileView{}
	mustStore(t, c, &nm)
	if err := c.UpdatePeers(t.Context(), []tailcfg.NodeView{{}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.UpdateUserProfiles(t.Context(), map[tailcfg.UserID]tailcfg.UserProfileView{98: {}}); err != nil {
		t.Fatal(err)
	}
	checkLoad(t, c, s, good)
}

// TestClear checks that Clear leaves what isn't the cache's.
func TestClear(t *testing.T) {
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		for _, key := range []string{"another", "self2", "node", "peers-0", "user-settings"} {
			if err := s.Store(t.Context(), key, []byte("mine")); err != nil {
				t.Fatal(err)
			}
		}
		before := contents(t, s)
		c := netmapcache.NewCache(s)
		if err := c.Clear(t.Context()); err != nil {
			t.Fatalf("Clear of an empty cache: %v", err)
		}
		mustStore(t, c, netmaptest.Realistic(80, 1))
		if err := c.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := contents(t, s); !maps.Equal(after, before) {
			t.Errorf("store holds %q, want %q", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
		}
		if _, err := c.Load(t.Context()); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
			t.Errorf("Load: got %v, want %v", err, netmapcache.ErrCacheNotAvailable)
		}
		mustStore(t, c, netmaptest.Realistic(80, 1))
		mustLoad(t, c)
	})
}

// TestPlainStore checks a store that has the four methods alone.
func TestPlainStore(t *testing.T) {
	s := plainstore.New(memstore.New())
	c := netmapcache.NewCache(s)
	nm := netmaptest.Realistic(130, 1)
	mustStore(t, c, nm)
	checkLoad(t, c, s, nm)
	next := netmaptest.WithPeerChanged(nm, 3, 9)
	mustStore(t, c, next)
	checkLoad(t, c, s, next)
	checkNoOrphans(t, s)

	// Columns of a root that this Cache has never seen are removed as well.
	mustStore(t, netmapcache.NewCache(s), nm)
	mustStore(t, c, next)
	checkLoad(t, c, s, next)
	checkNoOrphans(t, s)
}

// TestWithCommitter: a store that can't commit atomically is refused where that is asked for.
func TestWithCommitter(t *testing.T) {
	refused := func(s store.Store) (refused bool) {
		defer func() { refused = recover() != nil }()
		netmapcache.NewCache(s, netmapcache.WithCommitter())
		return false
	}
	if s := memstore.New(); refused(s) || !refused(plainstore.New(s)) {
		t.Errorf("a Committer is refused: %v; a plain store: %v", refused(s), refused(plainstore.New(s)))
	}
}

// TestZeroValues: zero values work or report an error, and never block or panic.
func TestZeroValues(t *testing.T) {
	nm := netmaptest.Realistic(3, 1)
	c := new(netmapcache.Cache)
	if _, err := c.Load(t.Context()); err == nil {
		t.Error("the zero Cache loads")
	}
	for name, err := range map[string]error{
		"Store":       c.Store(t.Context(), nm),
		"UpdatePeers": c.UpdatePeers(t.Context(), nm.Peers, nil),
		"Clear":       c.Clear(t.Context()),
	} {
		if err == nil {
			t.Errorf("%s of the zero Cache succeeds", name)
		}
	}
	s := new(memstore.Store)
	mustStore(t, netmapcache.NewCache(s, nil), nm)
	checkLoad(t, netmapcache.NewCache(s), s, nm)
}
