package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"tailscale.com/types/netmap"
)

// small has nearly every change take several transactions.
var small = []etcdstore.Option{etcdstore.WithMaxOps(5), etcdstore.WithMaxRequestBytes(100 << 10)}

// TestFaults makes one request after the other fail, before or after it takes effect, while a cache makes all calls.
func TestFaults(t *testing.T) {
	var h hook
	client := hooked(connect(t, server(t)), &h)
	for name, opts := range map[string][]etcdstore.Option{"one transaction": nil, "several": small} {
		for _, behind := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, behind=%v", name, behind), func(t *testing.T) {
				cachetest.Faults(t, 13, func() cachetest.Faulty {
					return cachetest.Faulty{
						Store:  etcdstore.New(client, freshPrefix(), opts...),
						Arm:    func(hook func(done bool) error) { h = hook },
						Sweeps: true,
						Behind: behind,
					}
				})
			})
		}
	}
}

// TestCutConnections: the connection is cut at every point of a commit. The old or the new netmap is
// stored, and a later Store leaves no orphans.
func TestCutConnections(t *testing.T) {
	p := newProxy(t, server(t))
	client := connect(t, p.address)
	for name, opts := range map[string][]etcdstore.Option{"one transaction": nil, "several": small} {
		t.Run(name, func(t *testing.T) {
			prefix := freshPrefix()
			through := netmapcache.NewCache(etcdstore.New(client, prefix, opts...))
			direct := etcdstore.New(connect(t, server(t)), prefix)
			last := netmaptest.Realistic(300, 0)
			if err := through.Store(t.Context(), last); err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(1, 2))
			var failed, inForce int
			for i := range torture.Times(16, 1000) {
				next := netmaptest.Realistic(300, uint64(i+1))
				p.cutIn(1+random.IntN(250<<10), i%2 == 0)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				err := through.Store(ctx, next)
				cancel()
				wants := []*netmap.NetworkMap{next}
				if err != nil {
					failed++
					wants = append(wants, last)
				}
				loaded, loadErr := cachetest.Loads(t.Context(), netmapcache.NewCache(direct), wants...)
				if loadErr != nil {
					t.Fatalf("round %d, after %v: %v", i, err, loadErr)
				}
				if err != nil && loaded == next {
					inForce++
				}
				last = loaded
			}
			p.cutIn(0, false)
			if failed == 0 {
				t.Error("no commit failed")
			}
			t.Logf("%d commits failed, of which %d took effect", failed, inForce)
			if err := cachetest.Recovers(t.Context(), direct, netmapcache.NewCache(direct), netmaptest.Realistic(300, 1<<20)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOrphans: a commit removes the entries of an interrupted commit under the guard, and never those of a commit under way.
func TestOrphans(t *testing.T) {
	var h hook
	prefix := freshPrefix()
	client := hooked(connect(t, server(t)), &h)
	slow := etcdstore.New(client, prefix, etcdstore.WithMaxOps(4))
	other := etcdstore.New(connect(t, server(t)), prefix)
	big := store.Change{Put: []store.Entry{{Key: "a"}, {Key: "b"}, {Key: "c"}, {Key: "d"}, {Key: "root", Value: []byte("slow")}}}

	keys := func() []string {
		t.Helper()
		var keys []string
		for key, err := range other.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key)
		}
		return keys
	}

	t.Run("removed between two transactions", func(t *testing.T) {
		transactions := 0
		h = func(done bool) error {
			if done {
				return nil
			}
			if transactions++; transactions == 2 {
				return other.Remove(t.Context(), "a")
			}
			return nil
		}
		defer func() { h = nil }()
		if err := slow.Commit(t.Context(), big); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(keys()); got != "[a b c d root]" {
			t.Errorf("keys = %v", got)
		}
	})

	t.Run("removed each time", func(t *testing.T) {
		h = func(done bool) error {
			if done {
				return other.Remove(t.Context(), "a")
			}
			return nil
		}
		defer func() { h = nil }()
		if err := slow.Commit(t.Context(), big); !errors.Is(err, store.ErrConflict) {
			t.Errorf("error %v", err)
		}
	})

	t.Run("interrupted", func(t *testing.T) {
		if err := other.Commit(t.Context(), store.Change{Remove: keys()}); err != nil {
			t.Fatal(err)
		}
		failed := errors.New("failed")
		transactions := 0
		h = func(done bool) error {
			if transactions++; transactions > 2 {
				return failed
			}
			return nil
		}
		defer func() { h = nil }()
		if err := slow.Commit(t.Context(), big); !errors.Is(err, failed) {
			t.Fatalf("error %v", err)
		}
		h = nil
		if got := fmt.Sprint(keys()); got != "[a b c]" {
			t.Errorf("keys = %v", got)
		}
		sweep := store.Change{Guard: &store.Guard{Key: "root", Absent: true}, Remove: []string{"a", "b", "c"}}
		if err := other.Commit(t.Context(), sweep); err != nil {
			t.Fatal(err)
		}
		res, err := connect(t, server(t)).Get(t.Context(), prefix+"/", clientPrefix, clientCount)
		if err != nil || res.Count != 0 {
			t.Errorf("%d keys left, with markers, %v", res.Count, err)
		}
	})
}

// TestHangingServer: methods end with their context, or with the timeout, while no server answers.
func TestHangingServer(t *testing.T) {
	p := newProxy(t, server(t))
	hung := connect(t, p.address)
	if _, err := hung.Get(t.Context(), "/"); err != nil {
		t.Fatal(err)
	}
	p.hang(true)
	for name, client := range map[string]string{"hangs": p.address, "is away": freeURL(t).Host} {
		client := connect(t, client)
		for _, deadline := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, deadline=%v", name, deadline), func(t *testing.T) {
				ctx := t.Context()
				var opts []etcdstore.Option
				if deadline {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
					defer cancel()
				} else {
					opts = append(opts, etcdstore.WithTimeout(100*time.Millisecond))
				}
				s := etcdstore.New(client, freshPrefix(), opts...)
				for name, call := range calls(s) {
					if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s: %v", name, err)
					}
				}
				if _, err := netmapcache.NewCache(s).Load(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, netmapcache.ErrCacheNotAvailable) {
					t.Errorf("Load of a cache: %v", err)
				}
			})
		}
	}
}

// calls are the methods of s.
func calls(s *etcdstore.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Load": func(ctx context.Context) error { _, err := s.Load(ctx, "self"); return err },
		"List": func(ctx context.Context) error {
			for _, err := range s.List(ctx, "") {
				return err
			}
			return nil
		},
		"Store":  func(ctx context.Context) error { return s.Store(ctx, "self", nil) },
		"Remove": func(ctx context.Context) error { return s.Remove(ctx, "self") },
	}
}
