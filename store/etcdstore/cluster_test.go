package etcdstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
	"tailscale.com/types/netmap"
)

// A cluster is three servers in this process.
type cluster struct {
	t       *testing.T
	configs []*embed.Config
	members []*embed.Etcd
}

func startCluster(t *testing.T) *cluster {
	c := &cluster{t: t}
	var initial []string
	for i := range 3 {
		cfg := serverConfig(t)
		cfg.UnsafeNoFsync = false
		cfg.Name = fmt.Sprint("m", i)
		initial = append(initial, cfg.Name+"="+cfg.AdvertisePeerUrls[0].String())
		c.configs = append(c.configs, cfg)
	}
	for _, cfg := range c.configs {
		cfg.InitialCluster = strings.Join(initial, ",")
		e, err := embed.StartEtcd(cfg)
		if err != nil {
			t.Fatal(err)
		}
		c.members = append(c.members, e)
	}
	t.Cleanup(func() {
		for _, e := range c.members {
			e.Close()
		}
	})
	c.awaitReady()
	return c
}

// awaitReady waits until all members know one leader, and returns which it is.
func (c *cluster) awaitReady() int {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		leader := c.members[0].Server.Leader()
		same := leader != 0
		at := -1
		for i, e := range c.members {
			same = same && e.Server.Leader() == leader
			if e.Server.MemberID() == leader {
				at = i
			}
		}
		if same && at >= 0 {
			return at
		}
	}
	c.t.Fatal("the cluster has no leader")
	return -1
}

func (c *cluster) addresses() []string {
	var all []string
	for _, cfg := range c.configs {
		all = append(all, cfg.AdvertiseClientUrls[0].Host)
	}
	return all
}

// kill ends a member without goodbye, waits, and starts it again.
func (c *cluster) kill(i int, away time.Duration) {
	c.members[i].Server.HardStop()
	c.members[i].Close()
	time.Sleep(away)
	var err error
	for range 50 { // its ports may not be free at once
		if c.members[i], err = embed.StartEtcd(c.configs[i]); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.t.Fatal(err)
}

// cut parts a member from the others, for a while.
func (c *cluster) cut(i int, away time.Duration) {
	each := func(do func(a, b *embed.Etcd)) {
		for j, e := range c.members {
			if j != i {
				do(c.members[i], e)
				do(e, c.members[i])
			}
		}
	}
	each(func(a, b *embed.Etcd) { a.Server.CutPeer(types.ID(b.Server.MemberID())) })
	time.Sleep(away)
	each(func(a, b *embed.Etcd) { a.Server.MendPeer(types.ID(b.Server.MemberID())) })
}

// A version is what a netmap of the test says: which Store made it, and which update of a peer came last.
type version struct{ stored, updated int }

// A clusterCall is Store, UpdatePeers or Load of a cache.
type clusterCall struct {
	op string
	n  int
}

// A clusterReply is the outcome; unknown if the call failed, which a Load mustn't have changed anything by.
type clusterReply struct {
	loaded  version
	unknown bool
}

var clusterModel = porcupine.Model{
	Init: func() any { return version{} },
	Step: func(before, in, out any) (bool, any) {
		s, k, r := before.(version), in.(clusterCall), out.(clusterReply)
		switch k.op {
		case "Store":
			return true, version{k.n, 0}
		case "UpdatePeers":
			return true, version{s.stored, k.n}
		}
		return r.unknown || r.loaded == s, s
	},
}

// netmapOf is the netmap of a version; versionOf tells which one a netmap is.
func netmapOf(base *netmap.NetworkMap, v version) *netmap.NetworkMap {
	nm := *base
	nm.Domain = fmt.Sprint(v.stored)
	if v.updated > 0 {
		nm = *netmaptest.WithPeerChanged(&nm, 0, uint64(v.updated))
	}
	return &nm
}

func versionOf(base, nm *netmap.NetworkMap, updates map[string]int) (version, error) {
	var v version
	if _, err := fmt.Sscan(nm.Domain, &v.stored); err != nil {
		return v, err
	}
	v.updated = updates[peerText(nm)]
	want := netmapOf(base, v)
	want.Cached = true
	if diff := netmaptest.Diff(nm, want); diff != "" {
		return v, fmt.Errorf("a mix: %s", diff)
	}
	return v, nil
}

// peerText tells the states of the peer that updates change apart.
func peerText(nm *netmap.NetworkMap) string {
	for _, p := range nm.Peers {
		if p.StableID() == firstPeer {
			return p.DiscoKey().String()
		}
	}
	return ""
}

var firstPeer = netmaptest.Realistic(60, 7).Peers[0].StableID()

// TestCluster: in the middle of commits, leaders are killed and separated from the others. The writers' calls are
// linearizable, and what was stored is there.
func TestCluster(t *testing.T) {
	const writers = 4
	c := startCluster(t)
	prefix := freshPrefix()
	base := netmaptest.Realistic(60, 7)
	var caches []*netmapcache.Cache
	for i := range writers {
		var opts []etcdstore.Option
		if i%2 == 1 {
			opts = small
		}
		caches = append(caches, netmapcache.NewCache(etcdstore.New(connect(t, c.addresses()...), prefix, opts...)))
	}

	var (
		number    atomic.Int64
		mu        sync.Mutex
		updates   = make(map[string]int)
		under     atomic.Int64 // commits that are under way
		inMiddle  int
		failed    int
		calls     int
		slowest   time.Duration
		histories int
	)
	do := func(cache *netmapcache.Cache, op string) (clusterCall, clusterReply, error) {
		k := clusterCall{op, int(number.Add(1))}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		switch op {
		case "Store":
			under.Add(1)
			defer under.Add(-1)
			return k, clusterReply{}, cache.Store(ctx, netmapOf(base, version{k.n, 0}))
		case "UpdatePeers":
			nm := netmapOf(base, version{0, k.n})
			mu.Lock()
			updates[peerText(nm)] = k.n
			mu.Unlock()
			under.Add(1)
			defer under.Add(-1)
			return k, clusterReply{}, cache.UpdatePeers(ctx, nm.Peers[:1], nil)
		}
		nm, err := cache.Load(ctx)
		if err != nil {
			return k, clusterReply{}, err
		}
		mu.Lock()
		defer mu.Unlock()
		v, err := versionOf(base, nm, updates)
		if err != nil {
			t.Error(err)
		}
		return k, clusterReply{loaded: v}, err
	}

	random := rand.New(rand.NewPCG(3, 4))
	for round := range torture.Times(4, 200) {
		var clock atomic.Int64
		var history []porcupine.Operation
		one := func(writer int, op string) error {
			call, began := clock.Add(1), time.Now()
			k, r, err := do(caches[writer], op)
			o := porcupine.Operation{ClientId: writer, Input: k, Call: call, Output: r, Return: clock.Add(1)}
			mu.Lock()
			defer mu.Unlock()
			calls++
			slowest = max(slowest, time.Since(began))
			if err != nil {
				failed++
				o.Output, o.Return = clusterReply{unknown: true}, 1<<40
			}
			if err == nil || op != "Load" {
				history = append(history, o)
			}
			return err
		}
		// What failed in the last round can't take effect after this, since the root has moved.
		for one(0, "Store") != nil {
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for w := range writers {
			ops := rand.New(rand.NewPCG(uint64(round), uint64(w)))
			wg.Go(func() {
				for range 25 {
					select {
					case <-stop:
						return
					default:
						one(w, []string{"Store", "Store", "UpdatePeers", "Load"}[ops.IntN(4)])
					}
				}
			})
		}
		leader := c.awaitReady()
		for range 1000 {
			if under.Load() > 0 {
				inMiddle++
				break
			}
			time.Sleep(time.Millisecond)
		}
		if round%2 == 0 {
			c.kill(leader, time.Duration(random.IntN(300))*time.Millisecond)
		} else {
			c.cut(leader, time.Duration(500+random.IntN(1500))*time.Millisecond)
		}
		c.awaitReady()
		close(stop)
		wg.Wait()
		for one(1, "Load") != nil {
			if t.Failed() {
				return
			}
		}
		histories++
		if result := porcupine.CheckOperationsTimeout(clusterModel, history, time.Minute); result != porcupine.Ok {
			t.Fatalf("round %d: the history is not linearizable (%s): %+v", round, result, history)
		}
	}
	t.Logf("%d leaders lost, %d of them with a commit under way; %d calls, of which %d failed; the slowest took %v", histories, inMiddle, calls, failed, slowest.Round(time.Millisecond))
	s := etcdstore.New(connect(t, c.addresses()...), prefix)
	if err := cachetest.Recovers(t.Context(), s, netmapcache.NewCache(s), netmapOf(base, version{1, 0})); err != nil {
		t.Error(err)
	}
}
