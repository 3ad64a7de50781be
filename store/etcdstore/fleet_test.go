package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"github.com/netmapcache/netmapcache/store/memstore"
	clientv3 "go.etcd.io/etcd/client/v3"
	"tailscale.com/types/netmap"
)

// leaseLife is that of a lease of the model.
const leaseLife = 1600 * time.Second

// A fleet is the nodes of a tailnet on a real server, with leases whose time the test makes pass, and whose nodes
// make one request at a time, in an order that the test draws.
type fleet struct {
	t      *testing.T
	random *rand.Rand
	client *clientv3.Client // without gate
	prefix string
	tailns []*netmap.NetworkMap // the versions of the netmap
	nodes  []*fleetNode

	mu      sync.Mutex
	moved   *sync.Cond
	running int // nodes that neither wait at the gate nor are idle
	time    time.Duration
	expiry  map[clientv3.LeaseID]time.Duration
	revoked int  // leases that were revoked before their time
	loses   bool // leases are
}

// A fleetNode is a node, of which a process at a time runs.
type fleetNode struct {
	fleet   *fleet
	name    string
	rate    float64 // of its clock
	store   *etcdstore.SharedStore
	cache   *netmapcache.Cache
	busy    bool
	gate    chan verdict // not nil while it waits there
	crashed bool
	renewed time.Duration // when a Renew last began that succeeded
	whole   bool          // this process has stored or loaded a netmap
	has     bool          // there is a root of it, as far as is known
}

// A verdict is what becomes of a request.
type verdict int

const (
	pass verdict = iota
	failFirst
	failLast
)

var errCrash = errors.New("crashed")

func newFleet(t *testing.T, seed uint64, loses bool) *fleet {
	f := &fleet{t: t, random: rand.New(rand.NewPCG(seed, 0)), client: connect(t, server(t)), prefix: freshPrefix(), loses: loses,
		expiry: make(map[clientv3.LeaseID]time.Duration)}
	f.moved = sync.NewCond(&f.mu)
	first := netmaptest.Realistic(4, seed)
	f.tailns = []*netmap.NetworkMap{first}
	for i := range uint64(6) {
		f.tailns = append(f.tailns, netmaptest.WithPeerChanged(f.tailns[i], int(i)%4, i+seed))
	}
	for i := range 3 {
		n := &fleetNode{fleet: f, name: fmt.Sprint("node", i), rate: []float64{1, 0.5, 2}[i]}
		n.start()
		f.nodes = append(f.nodes, n)
	}
	t.Cleanup(func() {
		for id := range f.expiry {
			f.client.Revoke(context.Background(), id)
		}
	})
	return f
}

// start starts a process of n.
func (n *fleetNode) start() {
	f := n.fleet
	client := clientv3.NewCtxClient(context.Background())
	client.KV = gatedKV{f.client.KV, n}
	client.Lease = timedLease{f.client.Lease, f}
	var err error
	n.store, err = etcdstore.Shared(client, f.prefix, n.name, leaseLife)
	if err != nil {
		f.t.Fatal(err)
	}
	n.store.SetClock(func() time.Time {
		f.mu.Lock()
		defer f.mu.Unlock()
		return time.Unix(1<<30, 0).Add(time.Duration(float64(f.time) * n.rate))
	})
	n.cache = netmapcache.NewCache(n.store)
	n.crashed, n.whole = false, false
}

// wait waits at the gate.
func (n *fleetNode) wait() verdict {
	f := n.fleet
	f.mu.Lock()
	if n.crashed {
		f.mu.Unlock()
		return failFirst
	}
	gate := make(chan verdict)
	n.gate = gate
	f.running--
	f.moved.Broadcast()
	f.mu.Unlock()
	return <-gate
}

type gatedKV struct {
	clientv3.KV
	node *fleetNode
}

func (kv gatedKV) Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if kv.node.wait() != pass {
		return nil, errCrash
	}
	return kv.KV.Get(ctx, key, opts...)
}

func (kv gatedKV) Txn(ctx context.Context) clientv3.Txn { return &gatedTxn{kv.KV.Txn(ctx), kv.node} }

type gatedTxn struct {
	clientv3.Txn
	node *fleetNode
}

func (t *gatedTxn) If(cs ...clientv3.Cmp) clientv3.Txn   { t.Txn = t.Txn.If(cs...); return t }
func (t *gatedTxn) Then(ops ...clientv3.Op) clientv3.Txn { t.Txn = t.Txn.Then(ops...); return t }
func (t *gatedTxn) Else(ops ...clientv3.Op) clientv3.Txn { t.Txn = t.Txn.Else(ops...); return t }
func (t *gatedTxn) Commit() (*clientv3.TxnResponse, error) {
	v := t.node.wait()
	if v == failFirst {
		return nil, errCrash
	}
	res, err := t.Txn.Commit()
	if v == failLast {
		return nil, errCrash
	}
	return res, err
}

// timedLease has leases expire by the time of the fleet.
type timedLease struct {
	clientv3.Lease
	fleet *fleet
}

func (l timedLease) Grant(ctx context.Context, ttl int64) (*clientv3.LeaseGrantResponse, error) {
	res, err := l.Lease.Grant(ctx, 1e6)
	if err == nil {
		l.fleet.mu.Lock()
		defer l.fleet.mu.Unlock()
		l.fleet.expiry[res.ID] = l.fleet.time + time.Duration(ttl)*time.Second
	}
	return res, err
}

func (l timedLease) TimeToLive(ctx context.Context, id clientv3.LeaseID, opts ...clientv3.LeaseOption) (*clientv3.LeaseTimeToLiveResponse, error) {
	res, err := l.Lease.TimeToLive(ctx, id, opts...)
	if err == nil && res.TTL > 0 {
		l.fleet.mu.Lock()
		defer l.fleet.mu.Unlock()
		res.TTL = int64((l.fleet.expiry[id] - l.fleet.time) / time.Second)
	}
	return res, err
}

// pass has time pass, and leases expire.
func (f *fleet) pass(d time.Duration) {
	f.mu.Lock()
	f.time += d
	var expired []clientv3.LeaseID
	for id, at := range f.expiry {
		if at <= f.time {
			expired = append(expired, id)
		}
	}
	slices.SortFunc(expired, func(a, b clientv3.LeaseID) int { return int(f.expiry[a] - f.expiry[b]) })
	f.mu.Unlock()
	for _, id := range expired {
		f.revoke(id)
	}
}

func (f *fleet) revoke(id clientv3.LeaseID) {
	f.client.Revoke(f.t.Context(), id)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.expiry, id)
}

// step does one thing that is drawn, once all nodes wait.
func (f *fleet) step() {
	f.mu.Lock()
	for f.running > 0 {
		f.moved.Wait()
	}
	f.mu.Unlock()
	n := f.nodes[f.random.IntN(len(f.nodes))]
	switch r := f.random.IntN(100); {
	case r < 8:
		f.pass(time.Duration(f.random.Int64N(int64(leaseLife / 16))))
	case r < 9 && f.loses:
		f.mu.Lock()
		ids := slices.Sorted(maps.Keys(f.expiry))
		f.revoked++
		f.mu.Unlock()
		if len(ids) > 0 {
			f.revoke(ids[f.random.IntN(len(ids))])
		}
	case n.busy && r < 12:
		n.crashed = true
		f.release(n, failFirst+verdict(f.random.IntN(2)))
	case n.busy:
		f.release(n, pass)
	case r < 15:
		n.start()
	default:
		n.beginAny()
	}
	f.check()
}

// release lets the request of n go on.
func (f *fleet) release(n *fleetNode, v verdict) {
	f.mu.Lock()
	gate := n.gate
	n.gate = nil
	f.running++
	f.mu.Unlock()
	gate <- v
	f.mu.Lock()
	for f.running > 0 {
		f.moved.Wait()
	}
	f.mu.Unlock()
}

// beginAny has n do something. Nodes store the newest netmap, or one that is not quite the newest.
func (n *fleetNode) beginAny() {
	f := n.fleet
	newest := 1 + int(f.time/(leaseLife/3))
	nm := f.tailns[max(0, newest-f.random.IntN(2))%len(f.tailns)]
	ctx := f.t.Context()
	switch kind := f.random.IntN(6); kind {
	case 0, 1:
		n.begin(kind, func() error { return n.cache.Store(ctx, nm) })
	case 2:
		n.begin(kind, func() error { return n.cache.UpdatePeers(ctx, nm.Peers[:1], nil) })
	case 3:
		n.begin(kind, func() error { _, err := n.cache.Load(ctx); return err })
	default:
		n.begin(kind, func() error { return n.store.Renew(ctx) })
	}
}

// begin has n make a call, until it waits at the gate or has ended. The kinds are Store (0 and 1), UpdatePeers (2), Load (3) and Renew (others).
func (n *fleetNode) begin(kind int, call func() error) {
	f := n.fleet
	f.mu.Lock()
	began := f.time
	f.running++
	n.busy = true
	f.mu.Unlock()
	go func() {
		err := call()
		f.mu.Lock()
		defer f.mu.Unlock()
		f.running--
		n.busy = false
		f.moved.Broadcast()
		switch {
		case n.crashed:
			n.start()
		case err == nil:
			n.whole = n.whole || kind <= 3
			n.has = n.has || kind <= 3
			if n.whole && kind > 3 { // a Store or an update of nothing new renews nothing
				n.renewed = began
			}
		case kind < 2 || kind > 3:
			f.t.Errorf("%s, call %d: %v", n.name, kind, err)
		case !errors.Is(err, netmapcache.ErrCacheNotAvailable), errors.Is(err, netmapcache.ErrCorrupt) && f.revoked == 0:
			f.t.Errorf("%s, call %d: %v", n.name, kind, err)
		}
	}()
	f.mu.Lock()
	for f.running > 0 {
		f.moved.Wait()
	}
	f.mu.Unlock()
}

// do has n make a call to its end.
func (n *fleetNode) do(t *testing.T, call func() error) {
	t.Helper()
	var err error
	n.begin(0, func() error { err = call(); return err })
	for n.busy {
		n.fleet.release(n, pass)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// freshStore is that of another process of n.
func (n *fleetNode) freshStore(t *testing.T) *etcdstore.SharedStore {
	t.Helper()
	s, err := etcdstore.Shared(n.fleet.client, n.fleet.prefix, n.name, leaseLife)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check looks at all that is stored, at one revision: every root has all of its columns.
func (f *fleet) check() {
	res, err := f.client.Get(f.t.Context(), f.prefix+"/", clientPrefix)
	if err != nil {
		f.t.Fatal(err)
	}
	columns := memstore.New()
	roots := make(map[string][]byte)
	for _, kv := range res.Kvs {
		key := strings.TrimPrefix(string(kv.Key), f.prefix+"/")
		if rest, ok := strings.CutPrefix(key, "columns/"); ok {
			columns.Store(f.t.Context(), rest, kv.Value)
		} else if rest, ok := strings.CutPrefix(key, "nodes/"); ok {
			roots[strings.TrimSuffix(rest, "/self")] = kv.Value
		}
	}
	for name, root := range roots {
		columns.Store(f.t.Context(), "self", root)
		if _, err := netmapcache.NewCache(columns).Load(f.t.Context()); err != nil && !f.loses {
			f.t.Errorf("at %v, the root of %s: %v", f.time, name, err)
		}
	}
	for _, n := range f.nodes {
		if n.has && roots[n.name] == nil {
			n.has = false
			if f.time-n.renewed < leaseLife/4 && !f.loses {
				f.t.Errorf("at %v, %s has no root, though it renewed its lease at %v", f.time, n.name, n.renewed)
			}
		}
	}
}

// TestFleet: nodes act in any order, crash, sleep, and have wrong clocks. No stored root ever lacks a column,
// and what a node renews stays.
func TestFleet(t *testing.T) {
	runFleets(t, false)
}

// TestFleetLosesLeases: leases are revoked before their time. A node may find its snapshot incomplete, but never another one, and
// the next Store repairs that.
func TestFleetLosesLeases(t *testing.T) {
	runFleets(t, true)
}

// runFleets has fleets, one a seed, do something 600 times each. If loses, leases are revoked.
func runFleets(t *testing.T, loses bool) {
	for seed := range uint64(torture.Times(4, 200)) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			f := newFleet(t, seed, loses)
			for range 600 {
				if f.step(); t.Failed() {
					return
				}
			}
			f.finish()
		})
	}
}

// finish lets all calls end, and a life pass, after which nothing may be left. Then it has each node store a netmap, which
// another process loads.
func (f *fleet) finish() {
	for slices.ContainsFunc(f.nodes, func(n *fleetNode) bool { return n.busy }) {
		for _, n := range f.nodes {
			if n.busy {
				f.release(n, pass)
			}
		}
	}
	f.pass(leaseLife)
	if res, err := f.client.Get(f.t.Context(), f.prefix+"/", clientv3.WithPrefix(), clientv3.WithKeysOnly()); err != nil || len(res.Kvs) > 0 {
		f.t.Errorf("a life after everything ended there is still %v, %v", res, err)
	}
	for _, n := range f.nodes {
		s := n.freshStore(f.t)
		for _, nm := range f.tailns[:2] {
			if err := netmapcache.NewCache(s).Store(f.t.Context(), nm); err != nil {
				f.t.Errorf("%s: %v", n.name, err)
			}
			if err := loads(f.t.Context(), n.freshStore(f.t), nm); err != nil {
				f.t.Errorf("%s: %v", n.name, err)
			}
		}
	}
}

// TestLateWriter: a node sleeps before one request of a call, until another node has stored the same netmap under a later
// lease. The rest of the call moves no column back to a lease that ends earlier.
func TestLateWriter(t *testing.T) {
	for _, tt := range []struct {
		name          string
		kind          int // as begin takes it
		call          func(late *fleetNode, nm *netmap.NetworkMap) error
		nm            int           // which netmap both store
		before, sleep time.Duration // before the call, so long that the other makes another lease
	}{
		{"Store", 0, func(late *fleetNode, nm *netmap.NetworkMap) error { return late.cache.Store(t.Context(), nm) }, 1, leaseLife / 4, leaseLife / 3},
		{"Renew", 4, func(late *fleetNode, _ *netmap.NetworkMap) error { return late.store.Renew(t.Context()) }, 0, leaseLife * 6 / 10, leaseLife * 6 / 10},
	} {
		for requests, slept := 0, true; slept; requests++ {
			t.Run(fmt.Sprint(tt.name, " after ", requests), func(t *testing.T) {
				f := newFleet(t, 1, false)
				late, other, nm := f.nodes[0], f.nodes[1], f.tailns[tt.nm]
				late.do(t, func() error { return late.cache.Store(t.Context(), f.tailns[0]) })
				f.pass(tt.before)
				late.begin(tt.kind, func() error { return tt.call(late, nm) })
				for range requests {
					if late.busy {
						f.release(late, pass)
					}
				}
				slept = late.busy
				f.pass(tt.sleep)
				other.do(t, func() error { return other.cache.Store(t.Context(), nm) })
				for late.busy {
					f.release(late, pass)
				}
				f.check()
				f.pass(leaseLife / 2) // past the lease of the call, not of the other
				f.check()
				if err := loads(t.Context(), other.freshStore(t), nm); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func loads(ctx context.Context, s store.Store, want *netmap.NetworkMap) error {
	got, err := netmapcache.NewCache(s).Load(ctx)
	if err != nil {
		return err
	}
	cached := *want
	cached.Cached = true
	if diff := netmaptest.Diff(got, &cached); diff != "" {
		return errors.New(diff)
	}
	return nil
}
