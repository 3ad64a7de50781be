package netmapcache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
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

type committer = store.Committer

// outrun is a store on which another writer commits before each Commit.
type outrun struct {
	committer
	other func()
	times int
}

func (s *outrun) Commit(ctx context.Context, ch store.Change) error {
	if s.times > 0 {
		s.times--
		s.other()
	}
	return s.committer.Commit(ctx, ch)
}

// TestOutrun checks that a writer gets through however often it is outrun.
func TestOutrun(t *testing.T) {
	mine, theirs := netmaptest.Realistic(120, 1), netmaptest.Realistic(110, 2)
	for _, times := range []int{1, 3, 8, 100} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			under := memstore.New()
			other := netmapcache.NewCache(under)
			round := uint64(0)
			s := &outrun{committer: under, times: times, other: func() {
				round++
				mustStore(t, other, netmaptest.WithPeerChanged(theirs, 0, round))
			}}
			c := netmapcache.NewCache(s)
			mustStore(t, c, mine)
			checkLoad(t, c, under, mine)
			s.times = times
			if err := c.UpdatePeers(t.Context(), nil, []tailcfg.StableNodeID{mine.Peers[0].StableID()}); err != nil {
				t.Fatal(err)
			}
			want := *mine
			want.Peers = mine.Peers[1:]
			checkLoad(t, c, under, &want)
			s.times = 0
			mustStore(t, c, mine)
			checkNoOrphans(t, under)
		})
	}
}

// TestReaderOutrun checks that a reader begins again when a writer removes
// columns from under it.
func TestReaderOutrun(t *testing.T) {
	s := memstore.New()
	writer, reader := netmapcache.NewCache(s), netmapcache.NewCache(s)
	nm := netmaptest.Realistic(120, 1)
	mustStore(t, writer, nm)
	next := netmaptest.Realistic(120, 2)
	s.Before = func(op, key string) error {
		if op == "LoadMany" {
			s.Before = nil
			mustStore(t, writer, next)
		}
		return nil
	}
	if diff := netmaptest.Diff(mustLoad(t, reader), expected(next)); diff != "" {
		t.Error(diff)
	}
}
