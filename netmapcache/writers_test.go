package netmapcache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
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

// TestTwoWriters: two caches share a store. A Store replaces the whole netmap, and an update
// changes only what it names in what the other cache stored, whatever each remembers.
func TestTwoWriters(t *testing.T) {
	one, two := netmaptest.Realistic(120, 1), netmaptest.Realistic(130, 2)
	with := func(nm *netmap.NetworkMap, peers ...tailcfg.NodeView) *netmap.NetworkMap {
		next := *nm
		next.Peers = append(slices.Clone(nm.Peers), peers...)
		return &next
	}
	peer := func(id int) tailcfg.NodeView {
		return (&tailcfg.Node{ID: tailcfg.NodeID(1<<60 + id), StableID: tailcfg.StableNodeID(fmt.Sprint("n", id)), Name: "added"}).View()
	}
	user := two.SelfNode.User()
	profile := netmaptest.WithUserChanged(two, user, 3)
	rules := netmaptest.WithFilterChanged(two, 4)
	self := netmaptest.WithSelfChanged(two, 5)
	for _, tt := range []struct {
		name  string
		a, b  func(ctx context.Context, c *netmapcache.Cache) error
		start *netmap.NetworkMap
		want  *netmap.NetworkMap
	}{
		{"Store, then Store", storing(two), storing(one), one, one},
		{"Store, then a profile", storing(two), func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdateUserProfiles(ctx, map[tailcfg.UserID]tailcfg.UserProfileView{user: profile.UserProfiles[user]})
		}, one, profile},
		{"Store, then a filter", storing(two), func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdatePacketFilter(ctx, rules.PacketFilterRules)
		}, one, rules},
		{"Store, then the self node", storing(two), func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdateSelfOnly(ctx, self)
		}, one, self},
		{"a peer each", updating([]tailcfg.NodeView{peer(101)}), updating([]tailcfg.NodeView{peer(201)}), one, with(one, peer(101), peer(201))},
		{"a peer removed, another added", updating(nil, one.Peers[119].StableID()), updating([]tailcfg.NodeView{peer(201)}), one,
			with(netmaptest.WithPeersRemoved(one, 119), peer(201))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s netmapcache.Store) {
				a, b := netmapcache.NewCache(s), netmapcache.NewCache(s)
				mustStore(t, a, tt.start)
				mustLoad(t, b)
				for _, err := range []error{tt.a(t.Context(), a), tt.b(t.Context(), b)} {
					if err != nil {
						t.Fatal(err)
					}
				}
				checkLoad(t, b, s, tt.want)
				checkLoad(t, a, s, tt.want)
				mustStore(t, a, tt.want)
				checkNoOrphans(t, s)
			})
		})
	}
}

func storing(nm *netmap.NetworkMap) func(ctx context.Context, c *netmapcache.Cache) error {
	return func(ctx context.Context, c *netmapcache.Cache) error { return c.Store(ctx, nm) }
}

func updating(update []tailcfg.NodeView, remove ...tailcfg.StableNodeID) func(ctx context.Context, c *netmapcache.Cache) error {
	return func(ctx context.Context, c *netmapcache.Cache) error { return c.UpdatePeers(ctx, update, remove) }
}

// TestUpdateOfAnothersSnapshot: a Cache changes nothing in a snapshot of another owner, although it
// wrote the one before. A Cache without an owner doesn't change the owner of what it updates.
func TestUpdateOfAnothersSnapshot(t *testing.T) {
	alices, bobs := netmaptest.Realistic(9, 1), netmaptest.Realistic(7, 2)
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		alice := netmapcache.NewCache(s, netmapcache.WithOwner("alice"))
		bob := netmapcache.NewCache(s, netmapcache.WithOwner("bob"))
		mustStore(t, alice, alices)
		mustStore(t, bob, bobs)
		before := contents(t, s)
		for name, err := range map[string]error{
			"UpdatePeers":        alice.UpdatePeers(t.Context(), alices.Peers[:1], nil),
			"UpdateUserProfiles": alice.UpdateUserProfiles(t.Context(), alices.UserProfiles),
			"UpdatePacketFilter": alice.UpdatePacketFilter(t.Context(), alices.PacketFilterRules),
			"UpdateSelfOnly":     alice.UpdateSelfOnly(t.Context(), alices),
		} {
			if !errors.Is(err, netmapcache.ErrWrongOwner) {
				t.Errorf("%s: %v, want %v", name, err, netmapcache.ErrWrongOwner)
			}
		}
		if diff := written(before, contents(t, s)); diff != nil {
			t.Errorf("failed updates wrote %q", diff)
		}
		if err := netmapcache.NewCache(s).UpdatePeers(t.Context(), nil, []tailcfg.StableNodeID{bobs.Peers[6].StableID()}); err != nil {
			t.Fatal(err)
		}
		if info, err := bob.Info(t.Context()); err != nil || info.Owner != "bob" || info.Peers != 6 {
			t.Errorf("Info = %+v, %v, want 6 peers of bob", info, err)
		}
	})
}

// TestUpdatesAtOnce: two caches update at the same time, and no update is lost.
func TestUpdatesAtOnce(t *testing.T) {
	const each = 20
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		nm := netmaptest.Realistic(8, 1)
		mustStore(t, netmapcache.NewCache(s), nm)
		var wg sync.WaitGroup
		for w := range 2 {
			c := netmapcache.NewCache(s)
			wg.Go(func() {
				for i := range each {
					n := &tailcfg.Node{ID: tailcfg.NodeID(w*each + i), StableID: tailcfg.StableNodeID(fmt.Sprint(w, "-", i))}
					if err := c.UpdatePeers(t.Context(), []tailcfg.NodeView{n.View()}, nil); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := mustLoad(t, netmapcache.NewCache(s)); len(got.Peers) != 8+2*each {
			t.Errorf("%d peers are stored, want %d", len(got.Peers), 8+2*each)
		}
	})
}

// TestManyWriters: while many writers store, every Load gives a netmap that one of them
// stored.
func TestManyWriters(t *testing.T) {
	const writers, rounds = 4, 12
	base := netmaptest.Realistic(60, 1)
	// version returns the netmap of a writer's round. Every column contains
	// the name.
	version := func(name string) *netmap.NetworkMap {
		nm := *base
		nm.Domain = name
		nm.SelfNode = change(base.SelfNode, func(n *tailcfg.Node) { n.Name = name })
		nm.Peers = nil
		for _, p := range base.Peers {
			nm.Peers = append(nm.Peers, change(p, func(n *tailcfg.Node) { n.Name = name }))
		}
		return &nm
	}
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		mustStore(t, netmapcache.NewCache(s), version("first"))
		var wg sync.WaitGroup
		for w := range writers {
			c := netmapcache.NewCache(s)
			wg.Go(func() {
				for r := range rounds {
					nm := version(fmt.Sprintf("writer %d, round %d", w, r))
					if err := c.Store(t.Context(), nm); err != nil {
						t.Errorf("Store: %v", err)
					}
				}
			})
			wg.Go(func() {
				reader := netmapcache.NewCache(s)
				for range rounds {
					nm, err := reader.Load(t.Context())
					if err != nil {
						t.Errorf("Load: %v", err)
						continue
					}
					for _, p := range nm.Peers {
						if p.Name() != nm.Domain || nm.SelfNode.Name() != nm.Domain || len(nm.Peers) != len(base.Peers) {
							t.Errorf("netmap of %q has a peer of %q", nm.Domain, p.Name())
							break
						}
					}
				}
			})
		}
		wg.Wait()
		checkNoOrphans(t, s)
	})
}

// TestOneCacheConcurrently uses one Cache in many goroutines, for the race detector.
func TestOneCacheConcurrently(t *testing.T) {
	c := netmapcache.NewCache(memstore.New())
	nm := netmaptest.Realistic(60, 1)
	mustStore(t, c, nm)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 5 {
				_, loadErr := c.Load(t.Context())
				_, infoErr := c.Info(t.Context())
				err := errors.Join(loadErr, infoErr,
					c.Store(t.Context(), netmaptest.WithPeerChanged(nm, i, uint64(i))),
					c.UpdatePeers(t.Context(), nm.Peers[i:i+1], nil),
					c.UpdateSelfOnly(t.Context(), nm))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestWaitsForItsTurn: a call waits for another one. If its context ends, it
// returns at once.
func TestWaitsForItsTurn(t *testing.T) {
	s := memstore.New()
	c := netmapcache.NewCache(s)
	nm := netmaptest.Realistic(5, 1)
	entered, leave := make(chan bool), make(chan bool)
	s.Before = func(op, key string) error {
		if op == "Commit" {
			entered <- true
			<-leave
		}
		return nil
	}
	done := make(chan error)
	go func() { done <- c.Store(t.Context(), nm) }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: got %v, want %v", err, context.Canceled)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// beside calls act, which stands for another writer, before each operation op on s, except those that act makes.
// For LoadMany it does so before each key.
func beside(s *memstore.Store, op string, act func()) { besideKey(s, op, "", act) }

// besideKey is beside for operations on key alone, unless key is empty.
func besideKey(s *memstore.Store, op, key string, act func()) {
	s.Before = func(o, k string) error {
		if o == op && (op != "List" || k == "") && (key == "" || key == k) {
			hook := s.Before
			s.Before = nil
			act()
			s.Before = hook
		}
		return nil
	}
}

// inDomain returns a copy of nm whose domain is n.
func inDomain(nm *netmap.NetworkMap, n int) *netmap.NetworkMap {
	c := *nm
	c.Domain = strconv.Itoa(n)
	return &c
}

// TestOutrun: another writer commits each time that this one has just looked at the store, as many times. The call
// succeeds if it has attempts left. Otherwise Store commits without a guard, and an update changes nothing.
func TestOutrun(t *testing.T) {
	mine, theirs := netmaptest.Realistic(120, 1), netmaptest.Realistic(110, 2)
	remove := []tailcfg.StableNodeID{theirs.Peers[0].StableID(), mine.Peers[0].StableID()}
	for _, abilities := range []string{"all", "four methods"} {
		for _, times := range []int{1, 3, netmapcache.Attempts - 1, netmapcache.Attempts, 300} {
			t.Run(fmt.Sprintf("%s, %d times", abilities, times), func(t *testing.T) {
				s := memstore.New()
				c, other := netmapcache.NewCache(s), netmapcache.NewCache(s)
				if abilities != "all" {
					c = netmapcache.NewCache(plainstore.New(s))
				}
				round := 0
				// In an attempt, the list of keys comes between the look at the root and the commit.
				beside(s, "List", func() {
					if round < times {
						round++
						mustStore(t, other, inDomain(theirs, round))
					}
				})
				mustStore(t, c, mine)
				checkLoad(t, c, s, mine)

				// After a conflict an update reads what is stored. Over four methods it loads the root
				// once more before it writes.
				op, outrun := "Commit", netmapcache.Attempts
				if abilities != "all" {
					op, outrun = "Load", 2*netmapcache.Attempts-1
				}
				s.Before = nil
				last := theirs
				mustStore(t, other, last)
				round = 0
				besideKey(s, op, "self", func() {
					if round < times {
						round++
						last = inDomain(theirs, round)
						mustStore(t, other, last)
					}
				})
				err := c.UpdatePeers(t.Context(), nil, remove)
				s.Before = nil
				if times >= outrun {
					if !errors.Is(err, store.ErrConflict) || errors.Is(err, netmapcache.ErrCacheNotAvailable) {
						t.Fatalf("UpdatePeers: %v, want ErrConflict", err)
					}
					checkLoad(t, other, s, last)
					err = c.UpdatePeers(t.Context(), nil, remove)
				}
				if err != nil {
					t.Fatal(err)
				}
				want := *last
				want.Peers = last.Peers[1:]
				checkLoad(t, c, s, &want)
				s.Before = nil
				mustStore(t, netmapcache.NewCache(s), mine)
				checkNoOrphans(t, s)
			})
		}
	}
}

// TestUpdateOutrunByClear: another writer outruns an update several times, and finally clears the store. The update doesn't
// restore what was cleared.
func TestUpdateOutrunByClear(t *testing.T) {
	nm := netmaptest.Realistic(5, 1)
	for _, times := range []int{1, 2, 10, netmapcache.Attempts - 1} {
		s := memstore.New()
		c, other := netmapcache.NewCache(s), netmapcache.NewCache(s)
		mustStore(t, c, nm)
		round := 0
		beside(s, "Commit", func() {
			if round++; round < times {
				mustStore(t, other, inDomain(nm, round))
			} else if err := other.Clear(t.Context()); err != nil {
				t.Error(err)
			}
		})
		rules := views.SliceOf([]tailcfg.FilterRule{})
		if err := c.UpdatePacketFilter(t.Context(), rules); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
			t.Errorf("outrun %d times: UpdatePacketFilter: %v, want ErrCacheNotAvailable", times, err)
		}
		s.Before = nil
		if all := contents(t, s); len(all) > 0 {
			t.Errorf("outrun %d times: %d keys are left", times, len(all))
		}
	}
}

// TestFirstUpdateOutrun: UpdateSelfOnly finds nothing stored, and another writer stores a netmap before it commits. It keeps
// that netmap's peers.
func TestFirstUpdateOutrun(t *testing.T) {
	mine, theirs := netmaptest.Realistic(5, 1), netmaptest.Realistic(6, 2)
	want := *mine
	want.Peers, want.UserProfiles = theirs.Peers, theirs.UserProfiles
	for _, times := range []int{1, 3, 5, 3 * netmapcache.Attempts} {
		s := memstore.New()
		c, other := netmapcache.NewCache(s), netmapcache.NewCache(s)
		round := 0
		beside(s, "Commit", func() { // the other writer stores and clears in turn
			if round++; round > times {
				return
			} else if round%2 == 1 {
				mustStore(t, other, theirs)
			} else if err := other.Clear(t.Context()); err != nil {
				t.Error(err)
			}
		})
		err := c.UpdateSelfOnly(t.Context(), mine)
		s.Before = nil
		if times < netmapcache.Attempts {
			if err != nil {
				t.Fatalf("outrun %d times: %v", times, err)
			}
			checkLoad(t, c, s, &want)
		} else {
			if !errors.Is(err, store.ErrConflict) {
				t.Errorf("outrun %d times: %v, want ErrConflict", times, err)
			}
			if all := contents(t, s); len(all) > 0 {
				t.Errorf("outrun %d times: it stored %d keys where all was cleared", times, len(all))
			}
		}
	}
}

// TestReaderOutrun: a writer removes columns while a reader reads them. The reader begins again,
// and never takes that for corruption.
func TestReaderOutrun(t *testing.T) {
	nm := netmaptest.Realistic(120, 1)
	for _, times := range []int{1, 20, 1000} {
		s := memstore.New()
		writer, reader := netmapcache.NewCache(s), netmapcache.NewCache(s)
		mustStore(t, writer, nm)
		last, round := nm, 0
		beside(s, "LoadMany", func() {
			if round++; round <= times {
				last = netmaptest.Realistic(60, uint64(1+round))
				mustStore(t, writer, last)
			}
		})
		got, err := reader.Load(t.Context())
		s.Before = nil
		if times >= 10*netmapcache.Attempts {
			if !errors.Is(err, store.ErrConflict) || errors.Is(err, netmapcache.ErrCacheNotAvailable) {
				t.Errorf("outrun %d times: %v, want ErrConflict", times, err)
			}
			got, err = reader.Load(t.Context())
		}
		if err != nil {
			t.Fatalf("outrun %d times: %v", times, err)
		}
		if diff := netmaptest.Diff(got, expected(last)); diff != "" {
			t.Errorf("outrun %d times:\n%s", times, diff)
		}
	}
}

// TestColumnsOutrun: other writers replace or clear the snapshot while Columns reads it. Columns doesn't take
// that for damage.
func TestColumnsOutrun(t *testing.T) {
	for name, want := range map[string]error{"stores": store.ErrConflict, "clears": netmapcache.ErrCacheNotAvailable} {
		s := memstore.New()
		c, other := netmapcache.NewCache(s), netmapcache.NewCache(s)
		mustStore(t, c, netmaptest.Realistic(5, 1))
		loads := uint64(0)
		beside(s, "Load", func() {
			if loads++; loads == 1 {
				return // of the root
			} else if name == "stores" {
				mustStore(t, other, netmaptest.Realistic(5, loads))
			} else if err := other.Clear(t.Context()); err != nil {
				t.Error(err)
			}
		})
		if _, err := c.Columns(t.Context()); !errors.Is(err, want) || errors.Is(err, netmapcache.ErrCorrupt) {
			t.Errorf("another %s: Columns: %v, want %v", name, err, want)
		}
	}
}
