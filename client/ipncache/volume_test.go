package ipncache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/types/netmap"
)

// counter counts what is written to a store.
type counter struct {
	store.Committer
	commits, values, bytes int64
}

func (c *counter) Commit(ctx context.Context, ch store.Change) error {
	c.commits++
	for _, e := range ch.Put {
		c.values++
		c.bytes += int64(len(e.Value))
	}
	return c.Committer.Commit(ctx, ch)
}

// TestChurn counts what is written in an hour in which a peer changes its endpoint each second, if each change is
// saved at once, and at the pace of [Options]. The clock is simulated. The large network takes minutes.
func TestChurn(t *testing.T) {
	sizes := []int{100}
	if os.Getenv("TORTURE") != "" {
		sizes = append(sizes, 10_000)
	}
	for _, peers := range sizes {
		var opts Options
		atOnce := churn(t, peers)
		paced := churn(t, peers, netmapcache.WithWriteBehind(opts.delay(), nil), netmapcache.WithCommitInterval(opts.interval()))
		t.Logf("%d peers, a day: each change %v; paced %v", peers, atOnce, paced)
		if atOnce.commits != 3600 || paced.commits != 121 || paced.bytes >= atOnce.bytes {
			t.Errorf("%d peers, an hour: each change %+v; paced %+v", peers, atOnce, paced)
		}
	}
}

func (c counter) String() string {
	return fmt.Sprintf("%d commits of %d values, %d MB", 24*c.commits, 24*c.values, 24*c.bytes/1e6)
}

// churn saves a netmap that changes for an hour, and returns what was written after the first save.
func churn(t *testing.T, peers int, opts ...netmapcache.Option) (written counter) {
	synctest.Test(t, func(t *testing.T) {
		written.Committer = memstore.New()
		cache := netmapcache.NewCache(&written, opts...)
		nm := netmaptest.Realistic(peers, 1)
		save := func(nm *netmap.NetworkMap) {
			if err := cache.Store(t.Context(), nm); err != nil {
				t.Fatal(err)
			}
		}
		save(nm)
		if err := cache.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // so that the interval is over
		written.commits, written.values, written.bytes = 0, 0, 0
		rng := rand.New(rand.NewPCG(1, 1))
		for range 3600 {
			next := *nm
			next.Peers = slices.Clone(nm.Peers)
			i := rng.IntN(peers)
			peer := next.Peers[i].AsStruct()
			peer.Endpoints = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 1, 1}), uint16(rng.Uint32()))}
			next.Peers[i] = peer.View()
			nm = &next
			save(nm)
			time.Sleep(time.Second)
		}
		if err := cache.Close(t.Context()); err != nil { // a commit more
			t.Fatal(err)
		}
	})
	return written
}
