package netmapcache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"pgregory.net/rapid"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

const delay = 5 * time.Second

var errFull = errors.New("disk full")

// A behind is a Cache with write-behind, and a record of what it did. Its clock is that of a synctest bubble.
type behind struct {
	*netmapcache.Cache
	store *memstore.Store

	mu   sync.Mutex // the timer has a goroutine of its own
	n    int        // commits that reached the store
	errs []error    // errors passed to onError
	fail error      // if not nil, commits fail with it
}

// commits returns how many commits reached the store since the last call.
func (b *behind) commits() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.n
	b.n = 0
	return n
}

// told returns the errors that were passed to onError.
func (b *behind) told() []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.errs)
}

// failing makes commits fail with err from now on, or succeed if err is nil.
func (b *behind) failing(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}

func newBehind(opts ...netmapcache.Option) *behind {
	b := &behind{store: memstore.New()}
	b.store.Before = func(op, key string) error {
		if op != "Commit" {
			return nil
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.n++
		return b.fail
	}
	told := func(err error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.errs = append(b.errs, err)
	}
	b.Cache = netmapcache.NewCache(b.store, append(opts, netmapcache.WithWriteBehind(delay, told))...)
	return b
}

// checkStored checks that the store holds want, nil for nothing.
func (b *behind) checkStored(t *testing.T, want *netmap.NetworkMap) {
	t.Helper()
	if _, err := cachetest.Loads(t.Context(), netmapcache.NewCache(b.store), want); err != nil {
		t.Error(err)
	}
}

func (b *behind) checkLoads(t *testing.T, want *netmap.NetworkMap) {
	t.Helper()
	if _, err := cachetest.Loads(t.Context(), b.Cache, want); err != nil {
		t.Error(err)
	}
}

// inBubble runs f with a clock of its own, which advances when all goroutines wait. It skips programs for js, where
// the runtime panics when something is printed in a bubble ("goroutine is already bubbled", Go 1.26).
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if runtime.GOOS == "js" {
		t.Skip("js: testing/synctest panics there when something is printed")
	}
	synctest.Test(t, f)
}

// wait lets time pass, and lets due commits happen.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestWriteBehind: this Cache sees noted changes at once, and commits them as one change when the delay is over.
func TestWriteBehind(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBehind(netmapcache.WithOwner("somebody"))
		nm := netmaptest.Realistic(60, 1)
		changed := netmaptest.WithPeerChanged(nm, 7, 1)
		filter := netmaptest.WithFilterChanged(changed, 2)

		mustStore(t, b.Cache, nm)
		wait(delay - 1)
		for _, err := range []error{
			b.UpdatePeers(t.Context(), changed.Peers[7:8], nil),
			b.UpdatePacketFilter(t.Context(), filter.PacketFilterRules),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		b.checkLoads(t, filter)
		if info, err := b.Info(t.Context()); err != nil || info.Peers != 60 || info.Owner != "somebody" {
			t.Errorf("Info = %+v, %v", info, err)
		}
		if columns, err := b.Columns(t.Context()); err != nil || len(columns) < 7 {
			t.Errorf("Columns: %d, %v", len(columns), err)
		}
		var exported bytes.Buffer
		if err := b.Export(t.Context(), &exported); err != nil {
			t.Error(err)
		}
		b.checkStored(t, nil)

		wait(1)
		b.checkStored(t, filter)
		if n, errs := b.commits(), b.told(); n != 1 || len(errs) > 0 {
			t.Errorf("%d commits, %v", n, errs)
		}

		// An update with nothing noted before, of what another has stored meanwhile.
		other := netmapcache.NewCache(b.store, netmapcache.WithOwner("somebody"))
		if err := other.Import(t.Context(), &exported); err != nil {
			t.Fatal(err)
		}
		mustStore(t, other, nm)
		if err := b.UpdatePeers(t.Context(), changed.Peers[7:8], nil); err != nil {
			t.Fatal(err)
		}
		b.checkLoads(t, changed)
		b.checkStored(t, nm)
		wait(delay)
		b.checkStored(t, changed)
	})
}

// TestFlush: Flush commits the noted changes, or reports why it can't.
func TestFlush(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBehind()
		nm := netmaptest.Realistic(5, 1)
		mustStore(t, b.Cache, nm)
		b.failing(errFull)
		if err := b.Flush(t.Context()); !errors.Is(err, errFull) {
			t.Errorf("Flush: %v, want %v", err, errFull)
		}
		b.failing(nil)
		if err := b.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		b.checkStored(t, nm)
		for range 2 {
			if err := b.Flush(t.Context()); err != nil { // nothing to do
				t.Error(err)
			}
		}
		wait(time.Hour)
		if n, errs := b.commits(), b.told(); n != 2 || len(errs) > 0 {
			t.Errorf("%d commits, %v told", n, errs)
		}
		if err := netmapcache.NewCache(b.store).Flush(t.Context()); err != nil {
			t.Errorf("without write-behind: %v", err)
		}
	})
}

// TestClose: Close commits the noted changes. Afterwards the Cache notes nothing more, and tries nothing by itself.
func TestClose(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBehind()
		nm := netmaptest.Realistic(5, 1)
		changed := netmaptest.WithPeerChanged(nm, 1, 1)
		mustStore(t, b.Cache, nm)
		b.failing(errFull)
		if err := b.Close(t.Context()); !errors.Is(err, errFull) {
			t.Errorf("Close: %v, want %v", err, errFull)
		}
		for name, err := range map[string]error{
			"Store":       b.Store(t.Context(), changed),
			"UpdatePeers": b.UpdatePeers(t.Context(), changed.Peers[1:2], nil),
		} {
			if !errors.Is(err, netmapcache.ErrClosed) {
				t.Errorf("%s: %v, want %v", name, err, netmapcache.ErrClosed)
			}
		}
		wait(time.Hour)
		if n, errs := b.commits(), b.told(); n != 1 || len(errs) > 0 {
			t.Errorf("%d commits, %v told", n, errs)
		}
		b.failing(nil)
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		b.checkStored(t, nm)
		b.checkLoads(t, nm)
		if err := netmapcache.NewCache(b.store).Close(t.Context()); err != nil {
			t.Errorf("without write-behind: %v", err)
		}
	})
}

// TestNotedInVain: if nothing is stored, or a snapshot of another owner, the Cache reports noted updates as failed and drops them.
func TestNotedInVain(t *testing.T) {
	nm := netmaptest.Realistic(5, 1)
	for _, tt := range []struct {
		name  string
		there func(s netmapcache.Store) error
		want  error
	}{
		{"nothing", func(netmapcache.Store) error { return nil }, netmapcache.ErrEmpty},
		{"another owner's", func(s netmapcache.Store) error {
			return netmapcache.NewCache(s, netmapcache.WithOwner("bob")).Store(context.Background(), nm)
		}, netmapcache.ErrWrongOwner},
	} {
		inBubble(t, func(t *testing.T) {
			b := newBehind(netmapcache.WithOwner("alice"))
			if err := tt.there(b.store); err != nil {
				t.Fatal(err)
			}
			b.commits()
			if err := b.UpdatePeers(t.Context(), nm.Peers[:1], nil); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Load(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("%s: Load: %v, want %v", tt.name, err, tt.want)
			}
			wait(time.Hour)
			if n, errs := b.commits(), b.told(); len(errs) != 1 || !errors.Is(errs[0], tt.want) || n > 0 {
				t.Errorf("%s: told %v, %d commits; want %v once", tt.name, errs, n, tt.want)
			}
		})
	}
}

// TestClearForgetsNoted: Clear and Import discard the noted changes, unless they fail.
func TestClearForgetsNoted(t *testing.T) {
	nm, imported := netmaptest.Realistic(5, 1), netmaptest.Realistic(6, 2)
	from := netmapcache.NewCache(memstore.New())
	mustStore(t, from, imported)
	file := export(t, from)
	for _, tt := range []struct {
		name string
		call func(ctx context.Context, c *netmapcache.Cache) error
		want *netmap.NetworkMap
	}{
		{"Clear", func(ctx context.Context, c *netmapcache.Cache) error { return c.Clear(ctx) }, nil},
		{"Import", func(ctx context.Context, c *netmapcache.Cache) error { return c.Import(ctx, bytes.NewReader(file)) }, imported},
	} {
		inBubble(t, func(t *testing.T) {
			b := newBehind()
			mustStore(t, b.Cache, nm)
			if err := tt.call(t.Context(), b.Cache); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			b.checkLoads(t, tt.want)
			wait(time.Hour)
			b.checkStored(t, tt.want)

			mustStore(t, b.Cache, nm)
			b.failing(errFull)
			if err := tt.call(t.Context(), b.Cache); !errors.Is(err, errFull) {
				t.Errorf("%s: %v, want %v", tt.name, err, errFull)
			}
			b.checkLoads(t, nm)
			b.failing(nil)
			wait(time.Hour)
			b.checkStored(t, nm)
		})
	}
}

// TestTooMuchNoted: while the store fails, the Cache refuses updates before they take all memory. A Store replaces them.
func TestTooMuchNoted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBehind()
		nm := netmaptest.Realistic(5, 1)
		mustStore(t, b.Cache, nm)
		b.failing(errFull)
		remove := make([]tailcfg.StableNodeID, 1<<16)
		var err error
		rounds := 0
		for ; err == nil && rounds < 10; rounds++ {
			for i := range remove {
				remove[i] = tailcfg.StableNodeID(fmt.Sprint(rounds, "-", i))
			}
			err = b.UpdatePeers(t.Context(), nil, remove)
			if rounds == 0 {
				wait(delay) // until the store has failed
			}
		}
		if rounds != 5 || !errors.Is(err, errFull) {
			t.Errorf("round %d: %v, want the store's error in round 5", rounds, err)
		}
		next := netmaptest.WithPeerChanged(nm, 1, 1)
		mustStore(t, b.Cache, next)
		if err := b.UpdatePeers(t.Context(), nil, remove); err != nil {
			t.Error(err)
		}
		b.failing(nil)
		wait(time.Hour)
		b.checkStored(t, next)
	})
}

// TestSlowStore: callers that note a change don't wait for a commit under way, and no noted change is lost.
func TestSlowStore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBehind()
		entered, leave := make(chan bool), make(chan error)
		before := b.store.Before
		b.store.Before = func(op, key string) error {
			if op == "Commit" {
				entered <- true
				if err := <-leave; err != nil {
					return err
				}
			}
			return before(op, key)
		}
		nm := netmaptest.Realistic(9, 1)
		mustStore(t, b.Cache, nm)
		<-entered
		changed := netmaptest.WithPeerChanged(nm, 1, 1)
		if err := b.UpdatePeers(t.Context(), changed.Peers[1:2], nil); err != nil {
			t.Fatal(err)
		}
		leave <- errors.New("disk full")
		<-entered
		leave <- nil
		synctest.Wait()
		b.checkStored(t, changed)
		if n, errs := b.commits(), b.told(); n != 1 || len(errs) != 1 {
			t.Errorf("%d commits succeeded, %v told", n, errs)
		}
	})
}

// TestComposed: calls that are noted and committed together store the same as calls one by one.
func TestComposed(t *testing.T) {
	torture.Check(t, 100, 10_000, func(rt *rapid.T) {
		shared := newVersions()
		one := netmapcache.NewCache(memstore.New())
		b := netmapcache.NewCache(memstore.New(), netmapcache.WithWriteBehind(time.Hour, nil))
		k := call{Op: "Store", Arg: drawContent.Draw(rt, "start")}
		for range rapid.IntRange(1, 12).Draw(rt, "calls") {
			if errs := [2]error{k.do(t.Context(), one, shared).err, k.do(t.Context(), b, shared).err}; errs != [2]error{} {
				rt.Fatalf("%s: %v", k.Op, errs)
			}
			if rapid.IntRange(0, 4).Draw(rt, "flush") == 0 {
				if err := b.Flush(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
			want := call{Op: "Load"}.do(t.Context(), one, shared)
			got := call{Op: "Load"}.do(t.Context(), b, shared)
			if want.err != nil || got.err != nil || got.loaded != want.loaded {
				rt.Fatalf("Load = %+v, %v; one by one: %+v, %v", got.loaded, got.err, want.loaded, want.err)
			}
			k = drawCall.Filter(func(k call) bool { return k.writes() }).Draw(rt, "call")
		}
	})
}

// TestPeersComposed: updates of peers that have stable IDs in common, or none, have the same effect together as one by one.
func TestPeersComposed(t *testing.T) {
	peer := rapid.Custom(func(t *rapid.T) tailcfg.NodeView {
		return (&tailcfg.Node{
			ID:       tailcfg.NodeID(rapid.IntRange(1, 4).Draw(t, "ID")),
			StableID: rapid.SampledFrom([]tailcfg.StableNodeID{"", "a", "b"}).Draw(t, "stable ID"),
			Name:     fmt.Sprint(rapid.IntRange(1, 1000).Draw(t, "name")),
		}).View()
	})
	torture.Check(t, 200, 20_000, func(rt *rapid.T) {
		nm := netmaptest.Realistic(1, 1)
		nm.Peers = rapid.SliceOfN(peer, 0, 5).Draw(rt, "peers")
		one := netmapcache.NewCache(memstore.New())
		b := netmapcache.NewCache(memstore.New(), netmapcache.WithWriteBehind(time.Hour, nil))
		mustStore(t, one, nm)
		mustStore(t, b, nm)
		if err := b.Flush(t.Context()); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 4).Draw(rt, "calls") {
			update := rapid.SliceOfN(peer, 0, 3).Draw(rt, "update")
			remove := rapid.SliceOfN(rapid.SampledFrom([]tailcfg.StableNodeID{"", "a"}), 0, 1).Draw(rt, "remove")
			for _, c := range []*netmapcache.Cache{one, b} {
				if err := c.UpdatePeers(t.Context(), update, remove); err != nil {
					rt.Fatal(err)
				}
			}
		}
		want, got := mustLoad(t, one), mustLoad(t, b)
		if diff := netmaptest.Diff(got, want); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// TestNotedIsExported: Export writes what Load would return, noted changes included.
func TestNotedIsExported(t *testing.T) {
	b := netmapcache.NewCache(memstore.New(), netmapcache.WithWriteBehind(time.Hour, nil))
	nm := netmaptest.Realistic(200, 1)
	mustStore(t, b, nm)
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	changed := netmaptest.WithPeerChanged(nm, 7, 1)
	if err := b.UpdatePeers(t.Context(), changed.Peers[7:8], nil); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := b.Export(t.Context(), io.Writer(&file)); err != nil {
		t.Fatal(err)
	}
	to := memstore.New()
	c := netmapcache.NewCache(to)
	if err := c.Import(t.Context(), &file); err != nil {
		t.Fatal(err)
	}
	checkLoad(t, c, to, changed)
}
