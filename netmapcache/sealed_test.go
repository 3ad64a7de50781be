package netmapcache_test

import (
	"errors"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/netmapcache/netmapcache/store/sealed"
)

func seal(t testing.TB, inner netmapcache.Store) netmapcache.Store {
	t.Helper()
	s, err := sealed.New(inner, make([]byte, sealed.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDamagedValue: the store itself reports a value of the snapshot as
// damaged. Load, and updates by a new Cache, report that, and calls that
// write a snapshot repair it.
func TestDamagedValue(t *testing.T) {
	nm := netmaptest.Realistic(120, 6)
	// place returns the key under which a sealed store keeps name.
	place := func(t *testing.T, name string) string {
		scratch := memstore.New()
		if err := seal(t, scratch).Store(t.Context(), name, nil); err != nil {
			t.Fatal(err)
		}
		return key(t, scratch, "")
	}
	repairs := map[string]func(t *testing.T, c *netmapcache.Cache) error{
		"Store": func(t *testing.T, c *netmapcache.Cache) error { return c.Store(t.Context(), nm) },
		"Clear and Store": func(t *testing.T, c *netmapcache.Cache) error {
			return errors.Join(c.Clear(t.Context()), c.Store(t.Context(), nm))
		},
	}
	for _, prefix := range []string{"self", "node.", "dns.", "peers-1.", "users-0."} {
		t.Run(prefix, func(t *testing.T) {
			for name, repair := range repairs {
				inner := memstore.New()
				s := seal(t, inner)
				c := netmapcache.NewCache(s)
				mustStore(t, c, nm)
				if err := inner.Store(t.Context(), place(t, key(t, s, prefix)), []byte("damage")); err != nil {
					t.Fatal(err)
				}

				fresh := netmapcache.NewCache(s)
				if got, err := fresh.Load(t.Context()); got != nil || !errors.Is(err, netmapcache.ErrCorrupt) || !errors.Is(err, store.ErrDamaged) {
					t.Errorf("Load: %v, %v, want ErrCorrupt for ErrDamaged", got, err)
				}
				if err := fresh.UpdatePeers(t.Context(), nm.Peers[:1], nil); !errors.Is(err, netmapcache.ErrCorrupt) {
					t.Errorf("UpdatePeers: %v, want ErrCorrupt", err)
				}
				if prefix == "self" {
					if _, err := fresh.Info(t.Context()); !errors.Is(err, netmapcache.ErrCorrupt) {
						t.Errorf("Info: %v, want ErrCorrupt", err)
					}
				} else {
					c = fresh // the other Cache has no reason to doubt the column
				}

				looks := 0
				inner.Before = func(op, key string) error {
					if op == "List" && key == "" {
						looks++
					}
					return nil
				}
				if err := repair(t, c); err != nil || looks > 2 {
					t.Errorf("%s: %v, after %d looks at what is stored", name, err, looks)
				}
				inner.Before = nil
				checkLoad(t, c, s, nm)
				mustStore(t, c, nm) // sweeps what the first write couldn't be sure of
				checkNoOrphans(t, s)
			}
		})
	}
}
