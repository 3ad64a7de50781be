//go:build unix

package netmapcache_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// cache is what upstream's Cache and this package's have in common.
type cache interface {
	Load(context.Context) (*netmap.NetworkMap, error)
	Store(context.Context, *netmap.NetworkMap) error
	UpdateSelfOnly(context.Context, *netmap.NetworkMap) error
	UpdatePeers(context.Context, []tailcfg.NodeView, []tailcfg.StableNodeID) error
}

// caches make a cache on a directory, ours and upstream's, each on its own FileStore.
var caches = []struct {
	name string
	open func(dir string) cache
}{
	{"upstream", func(dir string) cache { return upstream.NewCache(upstream.FileStore(dir)) }},
	{"ours", func(dir string) cache { return netmapcache.NewCache(netmapcache.FileStore(dir)) }},
}

// BenchmarkCache measures the calls of a cache on files, upstream's and ours in
// turn. Ours makes what it writes durable, upstream doesn't, which the time that
// passes (sec/op) shows, and the processor's (cpu-sec/op) doesn't.
func BenchmarkCache(b *testing.B) {
	for _, peers := range []int{1000, 10_000} {
		nm := netmaptest.Realistic(peers, 1)
		fresh := netmaptest.FreshPointers(nm)
		var changed [16]*netmap.NetworkMap
		for i := range changed {
			changed[i] = netmaptest.WithPeerChanged(nm, peers/2, uint64(i))
		}

		ops := []struct {
			name string
			cold bool // each call has a new cache, on an empty directory
			call func(c cache, i int) error
		}{
			{"ColdStore", true, func(c cache, i int) error { return c.Store(b.Context(), nm) }},
			{"SameStore", false, func(c cache, i int) error { return c.Store(b.Context(), nm) }},
			{"EqualStore", false, func(c cache, i int) error {
				return c.Store(b.Context(), []*netmap.NetworkMap{fresh, nm}[i%2])
			}},
			{"OneChangedStore", false, func(c cache, i int) error { return c.Store(b.Context(), changed[i%len(changed)]) }},
			{"UpdatePeersOne", false, func(c cache, i int) error {
				return c.UpdatePeers(b.Context(), changed[i%len(changed)].Peers[peers/2:peers/2+1], nil)
			}},
			{"UpdateSelfOnly", false, func(c cache, i int) error {
				next := *nm
				next.Domain = strconv.Itoa(i)
				return c.UpdateSelfOnly(b.Context(), &next)
			}},
		}
		for _, op := range ops {
			for _, impl := range caches {
				b.Run(fmt.Sprintf("op=%s/peers=%d/impl=%s", op.name, peers, impl.name), func(b *testing.B) {
					dir := b.TempDir()
					c := impl.open(dir)
					if !op.cold {
						if err := c.Store(b.Context(), nm); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportAllocs()
					measureCPU(b, func(i int, cpu *stopwatch) {
						if op.cold {
							cpu.pause(b)
							dir = filepath.Join(b.TempDir(), strconv.Itoa(i))
							if err := os.Mkdir(dir, 0700); err != nil {
								b.Fatal(err)
							}
							c = impl.open(dir)
							cpu.resume(b)
						}
						if err := op.call(c, i); err != nil {
							b.Fatal(err)
						}
						if op.cold {
							cpu.pause(b)
							if err := os.RemoveAll(dir); err != nil {
								b.Fatal(err)
							}
							cpu.resume(b)
						}
					})
				})
			}
		}
		for _, impl := range caches {
			b.Run(fmt.Sprintf("op=Load/peers=%d/impl=%s", peers, impl.name), func(b *testing.B) {
				dir := b.TempDir()
				if err := impl.open(dir).Store(b.Context(), nm); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				measureCPU(b, func(int, *stopwatch) {
					if _, err := impl.open(dir).Load(b.Context()); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

// A stopwatch adds up the processor time that this process spends, in all its threads.
type stopwatch struct{ since, total time.Duration }

func (s *stopwatch) pause(b *testing.B) {
	b.StopTimer()
	s.total += cpuTime(b) - s.since
}

func (s *stopwatch) resume(b *testing.B) {
	s.since = cpuTime(b)
	b.StartTimer()
}

// measureCPU runs f b.N times, and reports the processor time besides what b reports.
func measureCPU(b *testing.B, f func(i int, cpu *stopwatch)) {
	var s stopwatch
	b.ResetTimer()
	s.resume(b)
	for i := range b.N {
		f(i, &s)
	}
	s.pause(b)
	b.ReportMetric(s.total.Seconds()/float64(b.N), "cpu-sec/op")
}

func cpuTime(b *testing.B) time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
