package netmapcache_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/types/netmap"
)

func export(t *testing.T, c *netmapcache.Cache) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.Export(t.Context(), &b); err != nil {
		t.Fatalf("Export: %v", err)
	}
	return b.Bytes()
}

func TestExport(t *testing.T) {
	nm := netmaptest.Realistic(200, 1)
	for _, was := range []struct {
		name string
		in   func(t *testing.T, s netmapcache.Store)
	}{
		{"nothing", func(*testing.T, netmapcache.Store) {}},
		{"the same", func(t *testing.T, s netmapcache.Store) { mustStore(t, netmapcache.NewCache(s), nm) }},
		{"another", func(t *testing.T, s netmapcache.Store) {
			mustStore(t, netmapcache.NewCache(s), netmaptest.Realistic(9, 2))
		}},
		{"upstream's", func(t *testing.T, s netmapcache.Store) {
			if err := upstream.NewCache(s).Store(t.Context(), netmaptest.Realistic(9, 2)); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run("over "+was.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s netmapcache.Store) {
				source := netmapcache.NewCache(memstore.New(), netmapcache.WithOwner("owner"))
				mustStore(t, source, nm)
				exported := export(t, source)

				was.in(t, s)
				c := netmapcache.NewCache(s)
				if err := c.Import(t.Context(), bytes.NewReader(exported)); err != nil {
					t.Fatalf("Import: %v", err)
				}
				checkLoad(t, c, s, nm)
				checkNoOrphans(t, s)
				want, err := source.Info(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got, err := netmapcache.NewCache(s).Info(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got.Generation, got.Bytes = want.Generation, want.Bytes // these depend on what was there
				if got != want {
					t.Errorf("after Import: got %+v, want %+v", got, want)
				}
			})
		})
	}
}

// TestExportUpstream checks that upstream's layout is exported as if it were
// stored here, from a cache that doesn't write to it.
func TestExportUpstream(t *testing.T) {
	nm := netmaptest.Realistic(20, 1)
	s := memstore.New()
	if err := upstream.NewCache(s).Store(t.Context(), nm); err != nil {
		t.Fatal(err)
	}
	before := contents(t, s)
	want := mustLoad(t, netmapcache.NewCache(s))
	exported := export(t, netmapcache.NewCache(s))
	if changed := written(before, contents(t, s)); len(changed) > 0 {
		t.Errorf("Export wrote %q", changed)
	}

	c := netmapcache.NewCache(memstore.New())
	if err := c.Import(t.Context(), bytes.NewReader(exported)); err != nil {
		t.Fatal(err)
	}
	if diff := netmaptest.Diff(mustLoad(t, c), want); diff != "" {
		t.Error(diff)
	}
}

// TestExportSealed checks that a sealed store is exported in the clear, and can be imported anywhere.
func TestExportSealed(t *testing.T) {
	nm := netmaptest.Realistic(3, 1)
	source := netmapcache.NewCache(seal(t, memstore.New()))
	mustStore(t, source, nm)
	s := memstore.New()
	c := netmapcache.NewCache(s)
	if err := c.Import(t.Context(), bytes.NewReader(export(t, source))); err != nil {
		t.Fatal(err)
	}
	checkLoad(t, c, s, nm)
}

func TestImportRefused(t *testing.T) {
	source := netmapcache.NewCache(memstore.New(), netmapcache.WithOwner("somebody"))
	mustStore(t, source, netmaptest.Realistic(3, 1))
	whole := export(t, source)
	errReader := errors.New("reader failed")
	for _, tt := range []struct {
		name string
		in   io.Reader
		opts []netmapcache.Option
		want error
	}{
		{"empty", bytes.NewReader(nil), nil, netmapcache.ErrCorrupt},
		{"no values", bytes.NewReader([]byte{0x80}), nil, netmapcache.ErrCorrupt},
		{"text", bytes.NewReader([]byte("{}")), nil, netmapcache.ErrCorrupt},
		{"other CBOR", bytes.NewReader([]byte{0x81, 0x41, 0x80}), nil, netmapcache.ErrCorrupt},
		{"truncated", bytes.NewReader(whole[:len(whole)-1]), nil, netmapcache.ErrCorrupt},
		{"something after it", bytes.NewReader(append(bytes.Clone(whole), 0)), nil, netmapcache.ErrCorrupt},
		{"another owner", bytes.NewReader(whole), []netmapcache.Option{netmapcache.WithOwner("other")}, netmapcache.ErrWrongOwner},
		{"reader fails", iotest.ErrReader(errReader), nil, errReader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := memstore.New()
			mustStore(t, netmapcache.NewCache(s), netmaptest.Realistic(2, 2))
			before := contents(t, s)
			if err := netmapcache.NewCache(s, tt.opts...).Import(t.Context(), tt.in); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if changed := written(before, contents(t, s)); len(changed) > 0 {
				t.Errorf("wrote %q", changed)
			}
		})
	}
}

// TestImportEveryBit flips every bit of an exported snapshot: none may pass.
func TestImportEveryBit(t *testing.T) {
	nm := &netmap.NetworkMap{SelfNode: netmaptest.Realistic(1, 1).SelfNode, Domain: "example.com"}
	source := netmapcache.NewCache(memstore.New())
	mustStore(t, source, nm)
	whole := export(t, source)
	for i := range whole {
		for bit := range 8 {
			damaged := bytes.Clone(whole)
			damaged[i] ^= 1 << bit
			c := netmapcache.NewCache(memstore.New())
			if err := c.Import(t.Context(), bytes.NewReader(damaged)); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
				t.Fatalf("bit %d of byte %d: got %v", bit, i, err)
			}
		}
	}
}

func TestColumns(t *testing.T) {
	nm := netmaptest.Realistic(200, 1)
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, s netmapcache.Store, key string) error
	}{
		{"whole", func(*testing.T, netmapcache.Store, string) error { return nil }},
		{"lost", func(t *testing.T, s netmapcache.Store, key string) error { return s.Remove(t.Context(), key) }},
		{"truncated", func(t *testing.T, s netmapcache.Store, key string) error {
			return s.Store(t.Context(), key, []byte{0x80})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := memstore.New()
			c := netmapcache.NewCache(s, netmapcache.WithOwner("somebody"))
			mustStore(t, c, nm)
			damaged := map[string]bool{}
			if tt.name != "whole" {
				damaged[key(t, s, "dns.")], damaged[key(t, s, "peers-3.")] = true, true
			}
			for k := range damaged {
				if err := tt.damage(t, s, k); err != nil {
					t.Fatal(err)
				}
			}
			// Neither the owner nor the age matters.
			columns, err := netmapcache.NewCache(s, netmapcache.WithOwner("other"), netmapcache.WithMaxAge(time.Nanosecond)).Columns(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			peers := 0
			for _, col := range columns {
				if got, want := errors.Is(col.Err, netmapcache.ErrCorrupt), damaged[col.Key]; got != want {
					t.Errorf("%s: got %v, damaged: %t", col.Name, col.Err, want)
				}
				if len(col.Name) > 6 && col.Name[:6] == "peers-" {
					peers += col.Count
				}
			}
			if peers != len(nm.Peers) {
				t.Errorf("got %d peers, want %d", peers, len(nm.Peers))
			}
		})
	}
}
