package etcdstore_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"github.com/netmapcache/netmapcache/store/sealed"
	"github.com/netmapcache/netmapcache/store/storetest"
)

func seal(t *testing.T, s store.Store) store.Store {
	t.Helper()
	s, err := sealed.New(s, bytes.Repeat([]byte{7}, sealed.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSealed: sealed, the store keeps the contract.
func TestSealed(t *testing.T) {
	client := connected(t)
	storetest.Run(t, func(t *testing.T) store.Store {
		return seal(t, etcdstore.New(client, freshPrefix()))
	}, storetest.Options{LargeValue: 1 << 20, Cases: 10, Rounds: 2})
}

// TestSealedWriteBehind: a cache notes and flushes changes through a sealed store. Another cache loads them, and
// etcd contains neither names nor keys in the clear.
func TestSealedWriteBehind(t *testing.T) {
	client := connect(t, server(t))
	prefix := freshPrefix()
	s := seal(t, etcdstore.New(client, prefix))
	c := netmapcache.NewCache(s, netmapcache.WithWriteBehind(time.Hour, nil))
	nm := netmaptest.Realistic(300, 1)
	changed := netmaptest.WithPeerChanged(nm, 1, 2)
	if err := c.Store(t.Context(), nm); err != nil {
		t.Fatal(err)
	}
	if err := c.UpdatePeers(t.Context(), changed.Peers[1:2], nil); err != nil {
		t.Fatal(err)
	}
	revision := revisionOf(t, client)
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := revisionOf(t, client); now != revision+1 {
		t.Errorf("Flush made %d transactions, want one", now-revision)
	}
	if _, err := cachetest.Loads(t.Context(), netmapcache.NewCache(seal(t, etcdstore.New(client, prefix))), changed); err != nil {
		t.Error(err)
	}
	res, err := client.Get(t.Context(), prefix+"/", clientPrefix)
	if err != nil || len(res.Kvs) == 0 {
		t.Fatal(len(res.Kvs), err)
	}
	for _, kv := range res.Kvs {
		for _, p := range nm.Peers {
			if name := []byte(p.Name()); bytes.Contains(kv.Value, name) || bytes.Contains(kv.Key, name) {
				t.Fatalf("%q is legible under %q", name, kv.Key)
			}
		}
		if bytes.Contains(kv.Key, []byte("peers-")) || bytes.HasSuffix(kv.Key, []byte("/self")) {
			t.Errorf("key %q is legible", kv.Key)
		}
	}
}
