package netmapcache_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/types/netmap"
)

// TestLoadPartial damages one column after the other, and checks what LoadPartial returns.
func TestLoadPartial(t *testing.T) {
	nm := netmaptest.Realistic(120, 1)
	errDisk := errors.New("the disk is broken")
	layouts := map[string]struct {
		store   func(*testing.T, netmapcache.Store)
		missing map[string]func(*netmap.NetworkMap) bool // by the prefix of the damaged key
	}{
		"ours": {
			func(t *testing.T, s netmapcache.Store) { mustStore(t, netmapcache.NewCache(s), nm) },
			map[string]func(*netmap.NetworkMap) bool{
				"node.":    func(nm *netmap.NetworkMap) bool { return !nm.SelfNode.Valid() },
				"misc.":    func(nm *netmap.NetworkMap) bool { return nm.Domain == "" },
				"dns.":     func(nm *netmap.NetworkMap) bool { return nm.DNS.Resolvers == nil },
				"derpmap.": func(nm *netmap.NetworkMap) bool { return nm.DERPMap == nil },
				"filter.":  func(nm *netmap.NetworkMap) bool { return nm.PacketFilterRules.IsNil() },
				"ssh.":     func(nm *netmap.NetworkMap) bool { return nm.SSHPolicy == nil },
				"peers-1.": func(nm *netmap.NetworkMap) bool { return 0 < len(nm.Peers) && len(nm.Peers) < 120 },
				"users-0.": func(nm *netmap.NetworkMap) bool { return len(nm.UserProfiles) == 0 },
			},
		},
		"upstream's": {
			func(t *testing.T, s netmapcache.Store) { must(t, upstream.NewCache(s).Store(t.Context(), nm)) },
			map[string]func(*netmap.NetworkMap) bool{
				"dns":   func(nm *netmap.NetworkMap) bool { return nm.DNS.Resolvers == nil },
				"peer-": func(nm *netmap.NetworkMap) bool { return len(nm.Peers) == 119 },
			},
		},
	}
	for layout, l := range layouts {
		for prefix, missing := range l.missing {
			for how, want := range map[string]error{"damaged": netmapcache.ErrCorrupt, "unreadable": errDisk} {
				t.Run(layout+" "+prefix+" "+how, func(t *testing.T) {
					s := memstore.New()
					l.store(t, s)
					damaged := key(t, s, prefix)
					if how == "damaged" {
						must(t, s.Store(t.Context(), damaged, []byte("[1")))
					} else {
						s.Before = func(op, key string) error {
							if strings.HasPrefix(op, "Load") && key == damaged {
								return errDisk
							}
							return nil
						}
					}
					got, columns, err := netmapcache.NewCache(s, netmapcache.WithOwner("other")).LoadPartial(t.Context())
					must(t, err)
					if !missing(got) {
						t.Error("what is damaged was loaded, or more than that is missing")
					}
					for _, col := range columns {
						if bad := col.Key == damaged; bad != errors.Is(col.Err, want) || bad != (col.Err != nil) {
							t.Errorf("%s: %v, damaged: %t", col.Name, col.Err, bad)
						}
					}
				})
			}
		}
	}
}

// TestLoadPartialWhole: if nothing is damaged, or there is no root, LoadPartial does the same as Load.
func TestLoadPartialWhole(t *testing.T) {
	nm := netmaptest.Realistic(120, 1)
	s := memstore.New()
	c := netmapcache.NewCache(s)
	if _, _, err := c.LoadPartial(t.Context()); !errors.Is(err, netmapcache.ErrCacheNotAvailable) || errors.Is(err, netmapcache.ErrCorrupt) {
		t.Errorf("empty: %v", err)
	}
	mustStore(t, c, nm)
	want, err := c.Load(t.Context())
	must(t, err)
	got, _, err := c.LoadPartial(t.Context())
	must(t, err)
	if diff := netmaptest.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	must(t, s.Store(t.Context(), "self", []byte{0x82}))
	if _, _, err := c.LoadPartial(t.Context()); !errors.Is(err, netmapcache.ErrCorrupt) {
		t.Errorf("damaged root: %v", err)
	}
}

// TestLoadPartialBesideWriter: LoadPartial never takes columns that another writer has just
// removed for damaged ones.
func TestLoadPartialBesideWriter(t *testing.T) {
	s := memstore.New()
	c, other := netmapcache.NewCache(s), netmapcache.NewCache(s)
	mustStore(t, c, netmaptest.Realistic(5, 1))
	loads := uint64(0)
	beside(s, "Load", func() {
		if loads++; loads == 2 || loads == 5 {
			mustStore(t, other, netmaptest.Realistic(5, loads))
		}
	})
	_, columns, err := c.LoadPartial(t.Context())
	must(t, err)
	for _, col := range columns {
		if col.Err != nil {
			t.Error(col.Err)
		}
	}
}
