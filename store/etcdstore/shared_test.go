package etcdstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"github.com/netmapcache/netmapcache/store/storetest"
	clientv3 "go.etcd.io/etcd/client/v3"
	"tailscale.com/types/netmap"
)

func shared(t testing.TB, client *clientv3.Client, prefix, node string, opts ...etcdstore.Option) *etcdstore.SharedStore {
	t.Helper()
	s, err := etcdstore.Shared(client, prefix, node, time.Hour, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSharedConformance: for keys of its own the store of a node keeps the whole contract.
func TestSharedConformance(t *testing.T) {
	client := connected(t)
	prefixOf := make(map[store.Store]string)
	storetest.Run(t, func(t *testing.T) store.Store {
		prefix := freshPrefix()
		s := shared(t, client, prefix, "node")
		prefixOf[s] = prefix
		return s
	}, storetest.Options{
		LargeValue: 1 << 20,
		Cases:      10,
		Rounds:     2,
		Reopen: func(t *testing.T, s store.Store) store.Store {
			again := shared(t, client, prefixOf[s], "node")
			prefixOf[again] = prefixOf[s]
			return again
		},
	})
}

// withoutMisnamed drops the orphans of a script, which aren't named by their digests, as no orphan of a cache is.
type withoutMisnamed struct{ *etcdstore.SharedStore }

func (s withoutMisnamed) Store(ctx context.Context, key string, value []byte) error {
	if string(value) == "orphan" {
		return nil
	}
	return s.SharedStore.Store(ctx, key, value)
}

// TestSharedFaults makes one request of a node after the other fail.
func TestSharedFaults(t *testing.T) {
	var h hook
	client := hooked(connect(t, server(t)), &h)
	for name, opts := range map[string][]etcdstore.Option{"one transaction": nil, "several": small} {
		t.Run(name, func(t *testing.T) {
			cachetest.Faults(t, 29, func() cachetest.Faulty {
				return cachetest.Faulty{
					Store: withoutMisnamed{shared(t, client, freshPrefix(), "node", opts...)},
					Arm:   func(hook func(done bool) error) { h = hook },
				}
			})
		})
	}
}

// written returns how many bytes of values under prefix were put after revision, by the history of the server.
func written(t *testing.T, client *clientv3.Client, prefix string, revision int64) (bytes, puts int) {
	t.Helper()
	last, err := client.Put(t.Context(), prefix+"/end", "")
	if err != nil {
		t.Fatal(err)
	}
	for res := range client.Watch(t.Context(), prefix+"/", clientPrefix, clientv3.WithRev(revision+1)) {
		if err := res.Err(); err != nil {
			t.Fatal(err)
		}
		for _, e := range res.Events {
			if e.Kv.ModRevision >= last.Header.Revision {
				return bytes, puts
			}
			if e.Type == clientv3.EventTypePut {
				puts++
				if strings.Contains(string(e.Kv.Key), "/columns/") {
					bytes += len(e.Kv.Value)
				}
			}
		}
	}
	t.Fatal("the history ended")
	return 0, 0
}

func revisionOf(t *testing.T, client *clientv3.Client) int64 {
	t.Helper()
	res, err := client.Get(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	return res.Header.Revision
}

// TestSharing: a second node writes only its root. If a column changes, only the first node writes it.
func TestSharing(t *testing.T) {
	client := connect(t, server(t))
	prefix := freshPrefix()
	nm := netmaptest.Realistic(300, 1)
	changed := netmaptest.WithPeerChanged(nm, 3, 4)
	a := netmapcache.NewCache(shared(t, client, prefix, "a"))
	b := netmapcache.NewCache(shared(t, client, prefix, "b"))
	for _, step := range []struct {
		name        string
		call        func() error
		puts, bytes int // at most; 0 bytes are none
	}{
		{"first Store", func() error { return a.Store(t.Context(), nm) }, 100, 1 << 20},
		{"second node's Store", func() error { return b.Store(t.Context(), nm) }, 1, 0},
		{"first change", func() error { return a.UpdatePeers(t.Context(), changed.Peers[3:4], nil) }, 2, 64 << 10},
		{"second node's change", func() error { return b.UpdatePeers(t.Context(), changed.Peers[3:4], nil) }, 1, 0},
		{"Store of the same", func() error { return a.Store(t.Context(), changed) }, 0, 0},
	} {
		revision := revisionOf(t, client)
		if err := step.call(); err != nil {
			t.Fatal(err)
		}
		bytes, puts := written(t, client, prefix, revision)
		if bytes > step.bytes || puts > step.puts {
			t.Errorf("%s: %d puts and %d bytes of columns; want at most %d and %d", step.name, puts, bytes, step.puts, step.bytes)
		}
	}
	for _, node := range []string{"a", "b"} {
		if err := loads(t.Context(), shared(t, client, prefix, node), changed); err != nil {
			t.Errorf("%s: %v", node, err)
		}
	}
}

// TestSharedDamage: a node notices a column that somebody replaced, and puts it again. A value
// whose digest isn't the one in its key can't be put.
func TestSharedDamage(t *testing.T) {
	client := connect(t, server(t))
	prefix := freshPrefix()
	nm := netmaptest.Realistic(100, 1)
	if err := netmapcache.NewCache(shared(t, client, prefix, "a")).Store(t.Context(), nm); err != nil {
		t.Fatal(err)
	}
	res, err := client.Get(t.Context(), prefix+"/columns/peers-", clientPrefix)
	if err != nil || len(res.Kvs) == 0 {
		t.Fatal(len(res.Kvs), err)
	}
	kv := res.Kvs[0]
	kv.Value[len(kv.Value)/2] ^= 1
	if _, err := client.Put(t.Context(), string(kv.Key), string(kv.Value), clientv3.WithIgnoreLease()); err != nil {
		t.Fatal(err)
	}
	s := shared(t, client, prefix, "a")
	c := netmapcache.NewCache(s)
	if _, err := c.Load(t.Context()); !errors.Is(err, netmapcache.ErrCorrupt) {
		t.Errorf("Load: %v", err)
	}
	key := strings.TrimPrefix(string(kv.Key), prefix+"/columns/")
	if _, err := s.Load(t.Context(), key); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("Load of the column: %v", err)
	}
	if err := s.Store(t.Context(), key, kv.Value); !errors.Is(err, store.ErrBadKey) {
		t.Errorf("Store of a value of another digest: %v", err)
	}
	if err := c.Store(t.Context(), nm); err != nil {
		t.Fatal(err)
	}
	if err := loads(t.Context(), shared(t, client, prefix, "a"), nm); err != nil {
		t.Error(err)
	}
}

// TestExpiry: a real lease expires. What no node renews goes, what is renewed stays, and a node that slept
// finds nothing and stores everything again.
func TestExpiry(t *testing.T) {
	client := connect(t, server(t))
	prefix := freshPrefix()
	life := 4 * time.Second
	open := func(node string) (*etcdstore.SharedStore, *netmapcache.Cache) {
		s, err := etcdstore.Shared(client, prefix, node, life)
		if err != nil {
			t.Fatal(err)
		}
		return s, netmapcache.NewCache(s)
	}
	nm, other := netmaptest.Realistic(20, 1), netmaptest.Realistic(20, 2)
	awake, awakeCache := open("awake")
	_, asleep := open("asleep")
	if err := awakeCache.Store(t.Context(), nm); err != nil {
		t.Fatal(err)
	}
	if err := asleep.Store(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		awake.Keep(ctx, func(err error) { t.Error(err) })
	}()
	defer func() { cancel(); <-kept }()

	// The server removes the other's root when the lease is over, which only time makes happen.
	gone := client.Watch(ctx, prefix+"/nodes/asleep/self", clientv3.WithFilterPut())
	if res, ok := <-gone; !ok || res.Err() != nil {
		t.Fatal(res.Err())
	}
	if _, again := open("asleep"); true {
		if _, err := again.Load(t.Context()); !errors.Is(err, netmapcache.ErrEmpty) {
			t.Errorf("Load of the one that slept: %v", err)
		}
	}
	if err := asleep.UpdatePeers(t.Context(), other.Peers[:1], nil); !errors.Is(err, netmapcache.ErrEmpty) {
		t.Errorf("UpdatePeers of the one that slept: %v", err)
	}
	if err := asleep.Store(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for node, nm := range map[string]*netmap.NetworkMap{"awake": nm, "asleep": other} {
		s, _ := open(node)
		if err := loads(t.Context(), s, nm); err != nil {
			t.Errorf("%s: %v", node, err)
		}
	}
}
