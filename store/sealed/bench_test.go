//go:build !js

package sealed_test

import (
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/filestore"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// BenchmarkCache measures a cache of 10,000 peers over plain and over sealed stores. In memory
// the difference is what sealing costs.
func BenchmarkCache(b *testing.B) {
	nm := netmaptest.Realistic(10_000, 1)
	inners := map[string]func(b *testing.B) store.Store{
		"memory": func(b *testing.B) store.Store { return memstore.New() },
		"files":  func(b *testing.B) store.Store { return filestore.FileStore(b.TempDir()) },
	}
	for inner, open := range inners {
		for _, impl := range []string{"plain", "sealed"} {
			openCache := func(b *testing.B, s store.Store) *netmapcache.Cache {
				if impl == "sealed" {
					s = seal(b, s)
				}
				return netmapcache.NewCache(s)
			}
			b.Run("store="+inner+"/op=ColdStore/impl="+impl, func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					c := openCache(b, open(b))
					b.StartTimer()
					if err := c.Store(b.Context(), nm); err != nil {
						b.Fatal(err)
					}
				}
			})
			s := open(b)
			c := openCache(b, s)
			if err := c.Store(b.Context(), nm); err != nil {
				b.Fatal(err)
			}
			b.Run("store="+inner+"/op=SameStore/impl="+impl, func(b *testing.B) {
				for b.Loop() {
					if err := c.Store(b.Context(), nm); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("store="+inner+"/op=Load/impl="+impl, func(b *testing.B) {
				for b.Loop() {
					if _, err := openCache(b, s).Load(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
