package netmapcache_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/netmapcache/netmapcache/store/storetest"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// TestTwoWriters checks that of two caches on one store the last to commit wins,
// whole, whatever each remembers.
func TestTwoWriters(t *testing.T) {
	one, two := netmaptest.Realistic(120, 1), netmaptest.Realistic(130, 2)
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		a, b := netmapcache.NewCache(s), netmapcache.NewCache(s)
		mustStore(t, a, one)
		mustStore(t, b, two)
		checkLoad(t, b, s, two)
		mustStore(t, a, one) // nothing new to a
		checkLoad(t, a, s, one)

		mustStore(t, b, two)
		changed := change(one.Peers[3], func(n *tailcfg.Node) { n.HomeDERP = 77 })
		if err := a.UpdatePeers(t.Context(), []tailcfg.NodeView{changed}, nil); err != nil {
			t.Fatal(err)
		}
		want := *one
		want.Peers = append([]tailcfg.NodeView{}, one.Peers...)
		want.Peers[3] = changed
		checkLoad(t, a, s, &want)
		checkNoOrphans(t, s)

		mustStore(t, b, two)
		if err := a.UpdatePeers(t.Context(), []tailcfg.NodeView{changed}, nil); err != nil { // nothing new to a
			t.Fatal(err)
		}
		checkLoad(t, a, s, &want)
		checkNoOrphans(t, s)
	})
}

// TestManyWriters checks that every Load gives a netmap that one of many writers
// stored, while they and others write.
func TestManyWriters(t *testing.T) {
	const writers, rounds = 4, 12
	base := netmaptest.Realistic(60, 1)
	// version returns the netmap of a writer's round, which says in every
	// column whose it is.
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

// TestOneCacheConcurrently is for the race detector.
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

// TestWaitsForItsTurn checks that a call whose context ends while another is
// under way returns at once.
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

// beside has another writer act before each operation op on s, save those of the other;
// for LoadMany, before each key.
func beside(s *memstore.Store, op string, act func()) {
	s.Before = func(o, key string) error {
		if o == op && (op != "List" || key == "") {
			hook := s.Before
			s.Before = nil
			act()
			s.Before = hook
		}
		return nil
	}
}

// inDomain returns a copy of nm with a domain that tells n.
func inDomain(nm *netmap.NetworkMap, n int) *netmap.NetworkMap {
	c := *nm
	c.Domain = strconv.Itoa(n)
	return &c
}

// TestOutrun checks that a writer gets through though others commit each time that it has
// just looked. Outrun too often, Store does without a guard, and an update changes nothing.
func TestOutrun(t *testing.T) {
	mine, theirs := netmaptest.Realistic(120, 1), netmaptest.Realistic(110, 2)
	remove := []tailcfg.StableNodeID{mine.Peers[0].StableID()}
	want := *mine
	want.Peers = mine.Peers[1:]
	for _, abilities := range []string{"all", "four methods"} {
		for _, times := range []int{1, 3, netmapcache.Attempts - 1, netmapcache.Attempts, 300} {
			t.Run(fmt.Sprintf("%s, %d times", abilities, times), func(t *testing.T) {
				s := memstore.New()
				c, other := netmapcache.NewCache(s), netmapcache.NewCache(s)
				if abilities != "all" {
					c = netmapcache.NewCache(storetest.Plain(s))
				}
				round := 0
				// Of an attempt the list of keys is between the look at the root and the commit.
				beside(s, "List", func() {
					if round < times {
						round++
						mustStore(t, other, inDomain(theirs, round))
					}
				})
				mustStore(t, c, mine)
				checkLoad(t, c, s, mine)

				round = times
				mustStore(t, other, theirs) // moves the root on
				round = 0
				err := c.UpdatePeers(t.Context(), nil, remove)
				if times >= netmapcache.Attempts {
					if !errors.Is(err, store.ErrConflict) || errors.Is(err, netmapcache.ErrCacheNotAvailable) {
						t.Fatalf("UpdatePeers: %v, want ErrConflict", err)
					}
					checkLoad(t, other, s, inDomain(theirs, round))
					s.Before = nil
					err = c.UpdatePeers(t.Context(), nil, remove)
				}
				if err != nil {
					t.Fatal(err)
				}
				checkLoad(t, c, s, &want)
				s.Before = nil
				mustStore(t, netmapcache.NewCache(s), mine)
				checkNoOrphans(t, s)
			})
		}
	}
}

// TestUpdateOutrunByClear checks that an update that was outrun time and again doesn't
// bring back what another has cleared in the end.
func TestUpdateOutrunByClear(t *testing.T) {
	nm := netmaptest.Realistic(5, 1)
	for _, times := range []int{1, 2, 10, netmapcache.Attempts} {
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

// TestFirstUpdateOutrun checks that UpdateSelfOnly, when it finds nothing stored, takes
// over the peers that another stores before it.
func TestFirstUpdateOutrun(t *testing.T) {
	mine, theirs := netmaptest.Realistic(5, 1), netmaptest.Realistic(6, 2)
	want := *mine
	want.Peers, want.UserProfiles = theirs.Peers, theirs.UserProfiles
	for _, times := range []int{1, 3, 5, 3 * netmapcache.Attempts} {
		s := memstore.New()
		c, other := netmapcache.NewCache(s), netmapcache.NewCache(s)
		round := 0
		beside(s, "Commit", func() { // the other stores and clears by turns
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
			checkLoad(t, other, s, theirs)
		}
	}
}

// TestReaderOutrun checks that a reader begins again when a writer removes columns from
// under it, and doesn't take that for corruption however often it happens.
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

// TestColumnsOutrun checks that Columns doesn't take for damage what other writers replace
// or clear while it reads.
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
