package netmapcache_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// key returns the key of s that begins with prefix.
func key(t *testing.T, s netmapcache.Store, prefix string) string {
	t.Helper()
	for key, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	t.Fatalf("no key begins with %q", prefix)
	return ""
}

// TestDamage: a stored snapshot is altered. It checks what Load reports, and that a Store repairs it.
func TestDamage(t *testing.T) {
	nm := netmaptest.Realistic(120, 6)
	older := netmaptest.WithPeerChanged(nm, 0, 1)
	alter := func(prefix string, f func(value []byte) []byte) func(*testing.T, netmapcache.Store) {
		return func(t *testing.T, s netmapcache.Store) {
			k := key(t, s, prefix)
			value, err := s.Load(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Store(t.Context(), k, f(value)); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(prefix string) func(*testing.T, netmapcache.Store) {
		return func(t *testing.T, s netmapcache.Store) {
			if err := s.Remove(t.Context(), key(t, s, prefix)); err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(value []byte) []byte { value[len(value)/2] ^= 4; return value }
	truncate := func(value []byte) []byte { return value[:len(value)-1] }
	replace := func(by string) func([]byte) []byte { return func([]byte) []byte { return []byte(by) } }

	tests := []struct {
		name   string
		damage func(*testing.T, netmapcache.Store)
		want   error  // of Load; nil if it succeeds
		text   string // that the error has
	}{
		{"none", func(*testing.T, netmapcache.Store) {}, nil, ""},
		{"node flipped", alter("node.", flip), netmapcache.ErrCorrupt, `"node"`},
		{"misc truncated", alter("misc.", truncate), netmapcache.ErrCorrupt, `"misc"`},
		{"dns empty", alter("dns.", replace("")), netmapcache.ErrCorrupt, `"dns"`},
		{"derpmap rubbish", alter("derpmap.", replace("rubbish")), netmapcache.ErrCorrupt, `"derpmap"`},
		{"filter extended", alter("filter.", func(v []byte) []byte { return append(v, 0) }), netmapcache.ErrCorrupt, `"filter"`},
		{"ssh missing", remove("ssh."), netmapcache.ErrCorrupt, `"ssh"`},
		{"peers flipped", alter("peers-1.", flip), netmapcache.ErrCorrupt, `"peers-1"`},
		{"peers missing", remove("peers-0."), netmapcache.ErrCorrupt, `"peers-0"`},
		{"users missing", remove("users-0."), netmapcache.ErrCorrupt, `"users-0"`},
		{"peers swapped", func(t *testing.T, s netmapcache.Store) {
			a, b := key(t, s, "peers-0."), key(t, s, "peers-1.")
			all := contents(t, s)
			for k, v := range map[string]string{a: all[b], b: all[a]} {
				if err := s.Store(t.Context(), k, []byte(v)); err != nil {
					t.Fatal(err)
				}
			}
		}, netmapcache.ErrCorrupt, `"peers-`},
		{"root missing", remove("self"), netmapcache.ErrCacheNotAvailable, ""},
		{"root empty", alter("self", replace("")), netmapcache.ErrCorrupt, `"self"`},
		{"root flipped", alter("self", flip), netmapcache.ErrCorrupt, `"self"`},
		{"root truncated", alter("self", truncate), netmapcache.ErrCorrupt, `"self"`},
		{"root rubbish", alter("self", replace("rubbish")), netmapcache.ErrCorrupt, `"self"`},
		{"root JSON rubbish", alter("self", replace(`{"Node": [1`)), netmapcache.ErrCorrupt, `"self"`},
		{"root other JSON", alter("self", replace(`{"hello": "world"}`)), netmapcache.ErrCorrupt, `"self"`},
		{"root JSON null", alter("self", replace(`{"Node": null}`)), netmapcache.ErrCorrupt, `"self"`},
		{"foreign keys", func(t *testing.T, s netmapcache.Store) {
			for _, k := range []string{".DS_Store", "peers-0", "peers-zz.00", "self.bak", "node.0123", "dns"} {
				if err := s.Store(t.Context(), k, []byte("rubbish")); err != nil {
					t.Fatal(err)
				}
			}
		}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s netmapcache.Store) {
				c := netmapcache.NewCache(s)
				mustStore(t, c, older)
				mustStore(t, c, nm)
				tt.damage(t, s)
				damaged := contents(t, s)

				for name, c := range map[string]*netmapcache.Cache{"same": c, "new": netmapcache.NewCache(s)} {
					got, err := c.Load(t.Context())
					if tt.want == nil {
						if diff := netmaptest.Diff(got, expected(nm)); err != nil || diff != "" {
							t.Errorf("%s Cache: Load: %v\n%s", name, err, diff)
						}
						continue
					}
					if got != nil || !errors.Is(err, tt.want) || !errors.Is(err, netmapcache.ErrCacheNotAvailable) || !strings.Contains(err.Error(), tt.text) {
						t.Errorf("%s Cache: Load: got %v, %v; want %v with %s", name, got, err, tt.want, tt.text)
					}
					if err := c.UpdatePeers(t.Context(), nm.Peers[:1], nil); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
						t.Errorf("%s Cache: UpdatePeers: got %v, want %v", name, err, netmapcache.ErrCacheNotAvailable)
					}
				}
				if diff := written(damaged, contents(t, s)); tt.want != nil && diff != nil {
					t.Errorf("failed calls wrote %q", diff)
				}

				mustStore(t, c, nm)
				checkLoad(t, c, s, nm)
			})
		})
	}
}

// TestLostBehindItsBack: the store loses columns, and an identical Store restores them.
func TestLostBehindItsBack(t *testing.T) {
	nm := netmaptest.Realistic(120, 6)
	for _, prefix := range []string{"node.", "misc.", "dns.", "derpmap.", "filter.", "ssh.", "peers-0.", "users-0.", "self"} {
		t.Run(prefix, func(t *testing.T) {
			s := memstore.New()
			c := netmapcache.NewCache(s)
			mustStore(t, c, nm)
			if err := s.Remove(t.Context(), key(t, s, prefix)); err != nil {
				t.Fatal(err)
			}
			mustStore(t, c, nm)
			checkLoad(t, c, s, nm)
		})
	}
}

// TestNewCacheTrustsNothing: a Cache that hasn't read a damaged column
// replaces it.
func TestNewCacheTrustsNothing(t *testing.T) {
	nm := netmaptest.Realistic(120, 6)
	s := memstore.New()
	mustStore(t, netmapcache.NewCache(s), nm)
	for k := range contents(t, s) {
		if err := s.Store(t.Context(), k, []byte("damaged")); err != nil {
			t.Fatal(err)
		}
	}
	c := netmapcache.NewCache(s)
	mustStore(t, c, nm)
	checkLoad(t, c, s, nm)
	checkNoOrphans(t, s)
}

func TestOwner(t *testing.T) {
	nm := netmaptest.Realistic(5, 1)
	s := memstore.New()
	alice := netmapcache.NewCache(s, netmapcache.WithOwner("alice"))
	bob := netmapcache.NewCache(s, netmapcache.WithOwner("bob"))
	mustStore(t, alice, nm)
	checkLoad(t, alice, s, nm) // which an ownerless Cache can read as well

	if _, err := bob.Load(t.Context()); !errors.Is(err, netmapcache.ErrWrongOwner) || !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("Load by another owner: got %v, want %v", err, netmapcache.ErrWrongOwner)
	}
	if err := bob.UpdatePeers(t.Context(), nm.Peers, nil); !errors.Is(err, netmapcache.ErrWrongOwner) {
		t.Errorf("UpdatePeers by another owner: got %v, want %v", err, netmapcache.ErrWrongOwner)
	}
	if err := bob.UpdateSelfOnly(t.Context(), nm); !errors.Is(err, netmapcache.ErrWrongOwner) {
		t.Errorf("UpdateSelfOnly by another owner: got %v, want %v", err, netmapcache.ErrWrongOwner)
	}
	info, err := bob.Info(t.Context())
	if err != nil || info.Owner != "alice" {
		t.Errorf("Info by another owner: got %+v, %v; want alice as owner", info, err)
	}

	mustStore(t, bob, nm) // takes it over
	mustLoad(t, bob)
	if _, err := alice.Load(t.Context()); !errors.Is(err, netmapcache.ErrWrongOwner) {
		t.Errorf("Load after another owner's Store: got %v, want %v", err, netmapcache.ErrWrongOwner)
	}

	// Upstream's layout has neither an owner nor an age.
	s = memstore.New()
	if err := s.Store(t.Context(), "self", []byte(`{"Node": {"ID": 1, "User": 1}}`)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		opt  netmapcache.Option
		want error
	}{
		{netmapcache.WithOwner("alice"), netmapcache.ErrWrongOwner},
		{netmapcache.WithMaxAge(time.Hour), netmapcache.ErrExpired},
		{netmapcache.WithOwner(""), nil},
	}
	for i, tt := range tests {
		if _, err := netmapcache.NewCache(s, tt.opt).Load(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("case %d: Load of upstream's layout: got %v, want %v", i, err, tt.want)
		}
	}
}

func TestAge(t *testing.T) {
	nm := netmaptest.Realistic(5, 1)
	s := memstore.New()
	start := time.Date(2026, 11, 22, 9, 0, 0, 5, time.UTC)
	now := start
	clock := netmapcache.WithClock(func() time.Time { return now })
	c := netmapcache.NewCache(s, clock)
	mustStore(t, c, nm)
	changed := netmaptest.WithPeerChanged(nm, 0, 1)

	steps := []struct {
		after            time.Duration // since start
		nm               *netmap.NetworkMap
		saved, confirmed time.Duration // since start
	}{
		{9 * time.Minute, nm, 0, 0},
		{11 * time.Minute, nm, 0, 11 * time.Minute},
		{12 * time.Minute, nm, 0, 11 * time.Minute},
		{13 * time.Minute, changed, 13 * time.Minute, 13 * time.Minute},
		{30 * time.Minute, changed, 13 * time.Minute, 30 * time.Minute},
		{-time.Hour, changed, 13 * time.Minute, -time.Hour}, // the clock was set back
	}
	for _, step := range steps {
		now = start.Add(step.after)
		mustStore(t, c, step.nm)
		info, err := c.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if saved, confirmed := info.SavedAt.Sub(start), info.ConfirmedAt.Sub(start); saved != step.saved || confirmed != step.confirmed {
			t.Errorf("after %v: saved at %v, confirmed at %v; want %v, %v", step.after, saved, confirmed, step.saved, step.confirmed)
		}
	}

	limited := netmapcache.NewCache(s, clock, netmapcache.WithMaxAge(time.Hour))
	for after, want := range map[time.Duration]error{-2 * time.Hour: nil, 0: nil, time.Second: netmapcache.ErrExpired} {
		now = start.Add(after) // that is an hour and more since it was confirmed
		if _, err := limited.Load(t.Context()); !errors.Is(err, want) {
			t.Errorf("Load after %v: got %v, want %v", after, err, want)
		}
	}
}

func TestInfo(t *testing.T) {
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		c := netmapcache.NewCache(s, netmapcache.WithOwner("me"))
		if _, err := c.Info(t.Context()); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
			t.Errorf("Info of an empty cache: got %v, want %v", err, netmapcache.ErrCacheNotAvailable)
		}
		nm := netmaptest.Realistic(120, 1)
		mustStore(t, c, nm)
		if err := c.UpdatePeers(t.Context(), nil, []tailcfg.StableNodeID{nm.Peers[0].StableID()}); err != nil {
			t.Fatal(err)
		}
		info, err := c.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var size int64
		for _, value := range contents(t, s) {
			size += int64(len(value))
		}
		want := netmapcache.Info{
			SavedAt: info.SavedAt, ConfirmedAt: info.ConfirmedAt,
			Owner: "me", Peers: 119, Users: len(nm.UserProfiles), Columns: info.Columns, Bytes: size, Generation: 2,
		}
		if info != want || time.Since(info.SavedAt) > time.Hour || info.ConfirmedAt.Before(info.SavedAt) {
			t.Errorf("got %+v, want %+v", info, want)
		}
	})
}

// TestStoreErrors: the store's own errors stay visible, and don't look
// like an empty cache.
func TestStoreErrors(t *testing.T) {
	nm := netmaptest.Realistic(5, 1)
	broken := errors.New("disk on fire")
	s := memstore.New()
	c := netmapcache.NewCache(s)
	mustStore(t, c, nm)
	before := contents(t, s)
	calls := map[string]func(context.Context) error{
		"Load":           func(ctx context.Context) error { _, err := c.Load(ctx); return err },
		"Info":           func(ctx context.Context) error { _, err := c.Info(ctx); return err },
		"Store":          func(ctx context.Context) error { return c.Store(ctx, netmaptest.WithPeerChanged(nm, 0, 1)) },
		"UpdateSelfOnly": func(ctx context.Context) error { return c.UpdateSelfOnly(ctx, nm) },
		"UpdatePeers":    func(ctx context.Context) error { return c.UpdatePeers(ctx, nil, nil) },
		"Clear":          c.Clear,
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls {
		s.Before = func(op, key string) error { return broken }
		if err := call(t.Context()); !errors.Is(err, broken) || errors.Is(err, netmapcache.ErrCacheNotAvailable) {
			t.Errorf("%s: got %v, want %v", name, err, broken)
		}
		s.Before = nil
		if err := call(ended); !errors.Is(err, context.Canceled) || errors.Is(err, netmapcache.ErrCacheNotAvailable) {
			t.Errorf("%s after its context ended: got %v, want %v", name, err, context.Canceled)
		}
	}
	if diff := written(before, contents(t, s)); diff != nil {
		t.Errorf("failed calls wrote %q", diff)
	}
	checkLoad(t, c, s, nm)
}

// TestNewerFormat checks a root of a later major version.
func TestNewerFormat(t *testing.T) {
	s := memstore.New()
	value := netmapcache.SealForTest([]byte{0xa2, 0x01, 0x02, 0x02, 0x65, 'h', 'e', 'l', 'l', 'o'}) // {1: 2, 2: "hello"}
	if err := s.Store(t.Context(), "self", value); err != nil {
		t.Fatal(err)
	}
	c := netmapcache.NewCache(s)
	for name, call := range map[string]func() error{
		"Load":        func() error { _, err := c.Load(t.Context()); return err },
		"Info":        func() error { _, err := c.Info(t.Context()); return err },
		"UpdatePeers": func() error { return c.UpdatePeers(t.Context(), nil, nil) },
	} {
		if err := call(); !errors.Is(err, netmapcache.ErrFormat) || !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
			t.Errorf("%s: got %v, want %v", name, err, netmapcache.ErrFormat)
		}
	}
	if now, _ := s.Load(t.Context(), "self"); !bytes.Equal(now, value) {
		t.Error("a failed call replaced the root")
	}
	nm := netmaptest.Realistic(5, 1)
	mustStore(t, c, nm)
	checkLoad(t, c, s, nm)
}

// TestConfirmedInTheFuture: a snapshot that was confirmed while the clock was wrong doesn't pass WithMaxAge for years.
func TestConfirmedInTheFuture(t *testing.T) {
	s := memstore.New()
	now := time.Now()
	mustStore(t, netmapcache.NewCache(s, netmapcache.WithClock(func() time.Time { return now })), netmaptest.Realistic(3, 1))
	for _, tt := range []struct {
		past time.Duration // how far in the past the clock of the reader is
		want error
	}{
		{0, nil},
		{23 * time.Hour, nil},
		{25 * time.Hour, netmapcache.ErrExpired},
		{10 * 365 * 24 * time.Hour, netmapcache.ErrExpired},
	} {
		clock := netmapcache.WithClock(func() time.Time { return now.Add(-tt.past) })
		if _, err := netmapcache.NewCache(s, clock, netmapcache.WithMaxAge(time.Hour)).Load(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("confirmed %v in the future: %v, want %v", tt.past, err, tt.want)
		}
		if _, err := netmapcache.NewCache(s, clock).Load(t.Context()); err != nil {
			t.Errorf("confirmed %v in the future, no maximum: %v", tt.past, err)
		}
	}
}

// TestEmpty: if nothing is stored, each call says so.
func TestEmpty(t *testing.T) {
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		c := netmapcache.NewCache(s)
		nm := netmaptest.Realistic(2, 1)
		_, loadErr := c.Load(t.Context())
		_, infoErr := c.Info(t.Context())
		_, columnsErr := c.Columns(t.Context())
		for name, err := range map[string]error{
			"Load": loadErr, "Info": infoErr, "Columns": columnsErr, "Export": c.Export(t.Context(), io.Discard),
			"UpdatePeers": c.UpdatePeers(t.Context(), nm.Peers, nil),
		} {
			if !errors.Is(err, netmapcache.ErrEmpty) || !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
				t.Errorf("%s: %v, want %v", name, err, netmapcache.ErrEmpty)
			}
		}
	})
}
