package etcdstore_test

import (
	"fmt"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"github.com/netmapcache/netmapcache/store/filestore"
)

// BenchmarkCache measures a cache on a server that syncs, in this process, beside one in files, which sync too.
func BenchmarkCache(b *testing.B) {
	cfg := serverConfig(b)
	cfg.UnsafeNoFsync = false
	cfg.QuotaBackendBytes = 8 << 30
	client := connect(b, startServer(b, cfg))
	for _, peers := range []int{1000, 10_000} {
		nm := netmaptest.Realistic(peers, 1)
		for _, impl := range []struct {
			name string
			open func() store.Store
		}{
			{"files", func() store.Store { return filestore.FileStore(b.TempDir()) }},
			{"etcd", func() store.Store { return etcdstore.New(client, freshPrefix()) }},
			{"shared", func() store.Store { return shared(b, client, freshPrefix(), "node") }},
		} {
			run := func(op string, body func(b *testing.B)) {
				b.Run(fmt.Sprintf("peers=%d/op=%s/impl=%s", peers, op, impl.name), body)
			}
			run("ColdStore", func(b *testing.B) {
				for b.Loop() {
					if err := netmapcache.NewCache(impl.open()).Store(b.Context(), nm); err != nil {
						b.Fatal(err)
					}
				}
			})
			s := impl.open()
			c := netmapcache.NewCache(s)
			if err := c.Store(b.Context(), nm); err != nil {
				b.Fatal(err)
			}
			run("OnePeer", func(b *testing.B) {
				for i := uint64(2); b.Loop(); i++ {
					b.StopTimer()
					changed := netmaptest.WithPeerChanged(nm, 1, i)
					b.StartTimer()
					if err := c.UpdatePeers(b.Context(), changed.Peers[1:2], nil); err != nil {
						b.Fatal(err)
					}
				}
			})
			run("Load", func(b *testing.B) {
				for b.Loop() {
					if _, err := netmapcache.NewCache(s).Load(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
