//go:build netmapcache_omit

package netmapcache_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/tailcfg"
	"tailscale.com/types/views"
)

// TestOmitted checks what the calls do with the build tag netmapcache_omit.
func TestOmitted(t *testing.T) {
	s := memstore.New()
	c := netmapcache.NewCache(s)
	nm := netmaptest.Realistic(3, 1)
	if err := errors.Join(
		c.Store(t.Context(), nm),
		c.UpdateSelfOnly(t.Context(), nm),
		c.UpdatePeers(t.Context(), nm.Peers, nil),
		c.UpdateUserProfiles(t.Context(), nm.UserProfiles),
		c.UpdatePacketFilter(t.Context(), views.Slice[tailcfg.FilterRule]{}),
		c.Import(t.Context(), strings.NewReader("")),
		c.Clear(t.Context()),
	); err != nil {
		t.Error(err)
	}
	for key := range s.List(t.Context(), "") {
		t.Errorf("store holds %q", key)
	}
	if _, err := c.Load(t.Context()); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("Load: got %v, want %v", err, netmapcache.ErrCacheNotAvailable)
	}
	if err := c.Export(t.Context(), io.Discard); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("Export: got %v, want %v", err, netmapcache.ErrCacheNotAvailable)
	}
	if _, err := c.Columns(t.Context()); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("Columns: got %v, want %v", err, netmapcache.ErrCacheNotAvailable)
	}
	if _, _, err := c.LoadPartial(t.Context()); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("LoadPartial: got %v, want %v", err, netmapcache.ErrCacheNotAvailable)
	}
	if _, err := c.Info(t.Context()); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("Info: got %v, want %v", err, netmapcache.ErrCacheNotAvailable)
	}
}
