//go:build !js

package netmapcache_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// BenchmarkUpdatePeersOne compares what an update of one peer costs its caller: with upstream's package, which
// syncs nothing, with this one, and with this one and write-behind.
func BenchmarkUpdatePeersOne(b *testing.B) {
	type cache interface {
		Store(context.Context, *netmap.NetworkMap) error
		UpdatePeers(context.Context, []tailcfg.NodeView, []tailcfg.StableNodeID) error
	}
	for _, peers := range []int{100, 10_000} {
		nm := netmaptest.Realistic(peers, 1)
		var changed [16][]tailcfg.NodeView
		for i := range changed {
			changed[i] = netmaptest.WithPeerChanged(nm, peers/2, uint64(i)).Peers[peers/2 : peers/2+1]
		}
		for _, impl := range []struct {
			name string
			open func(dir string) cache
		}{
			{"upstream", func(dir string) cache { return upstream.NewCache(upstream.FileStore(dir)) }},
			{"ours", func(dir string) cache { return netmapcache.NewCache(netmapcache.FileStore(dir)) }},
			{"behind", func(dir string) cache {
				return netmapcache.NewCache(netmapcache.FileStore(dir), netmapcache.WithWriteBehind(5*time.Second, nil))
			}},
		} {
			b.Run(fmt.Sprintf("peers=%d/cache=%s", peers, impl.name), func(b *testing.B) {
				c := impl.open(b.TempDir())
				if err := c.Store(b.Context(), nm); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := c.UpdatePeers(b.Context(), changed[i%len(changed)], nil); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				if c, ok := c.(*netmapcache.Cache); ok {
					if err := c.Flush(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkCache repeats single calls, for profiles (go test -cpuprofile) and for
// comparing two versions of this package. Program bench (make bench) compares it with upstream's, and
// measures new processes.
func BenchmarkCache(b *testing.B) {
	for _, peers := range []int{1000, 10_000} {
		nm := netmaptest.Realistic(peers, 1)
		fresh := netmaptest.FreshPointers(nm)
		var changed [16]*netmap.NetworkMap
		for i := range changed {
			changed[i] = netmaptest.WithPeerChanged(nm, peers/2, uint64(i))
		}
		for _, op := range []struct {
			name string
			call func(c *netmapcache.Cache, i int) error
		}{
			{"SameStore", func(c *netmapcache.Cache, i int) error { return c.Store(b.Context(), nm) }},
			{"EqualStore", func(c *netmapcache.Cache, i int) error {
				return c.Store(b.Context(), []*netmap.NetworkMap{fresh, nm}[i%2])
			}},
			{"OneChangedStore", func(c *netmapcache.Cache, i int) error { return c.Store(b.Context(), changed[i%len(changed)]) }},
			{"UpdatePeersOne", func(c *netmapcache.Cache, i int) error {
				return c.UpdatePeers(b.Context(), changed[i%len(changed)].Peers[peers/2:peers/2+1], nil)
			}},
			{"UpdateSelfOnly", func(c *netmapcache.Cache, i int) error {
				next := *nm
				next.Domain = strconv.Itoa(i)
				return c.UpdateSelfOnly(b.Context(), &next)
			}},
			{"Load", func(c *netmapcache.Cache, i int) error { _, err := c.Load(b.Context()); return err }},
			{"ClearAndStore", func(c *netmapcache.Cache, i int) error {
				if err := c.Clear(b.Context()); err != nil {
					return err
				}
				return c.Store(b.Context(), nm)
			}},
		} {
			for _, store := range []struct {
				name string
				open func(b *testing.B) netmapcache.Store
			}{
				{"filestore", func(b *testing.B) netmapcache.Store { return netmapcache.FileStore(b.TempDir()) }},
				{"memstore", func(b *testing.B) netmapcache.Store { return memstore.New() }},
			} {
				b.Run(fmt.Sprintf("op=%s/peers=%d/store=%s", op.name, peers, store.name), func(b *testing.B) {
					c := netmapcache.NewCache(store.open(b))
					if err := c.Store(b.Context(), nm); err != nil {
						b.Fatal(err)
					}
					b.ReportAllocs()
					for i := 0; b.Loop(); i++ {
						if err := op.call(c, i); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
