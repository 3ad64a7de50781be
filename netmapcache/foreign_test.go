//go:build !js

package netmapcache_test

import (
	"errors"
	"os"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
)

// TestUpstreamFileStore runs the cache over upstream's own store, which has another sentinel for absent keys.
func TestUpstreamFileStore(t *testing.T) {
	s := upstream.FileStore(t.TempDir())
	cache := func() *netmapcache.Cache { return netmapcache.NewCache(s) }
	if _, err := cache().Load(t.Context()); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("Load of nothing: %v", err)
	}
	nm := netmaptest.Realistic(60, 1)
	must(t, cache().Store(t.Context(), nm))
	changed := netmaptest.WithPeerChanged(nm, 3, 2)
	must(t, cache().UpdatePeers(t.Context(), changed.Peers[3:4], nil))
	got, err := cache().Load(t.Context())
	must(t, err)
	changed.Cached = true
	if diff := netmaptest.Diff(got, changed); diff != "" {
		t.Error(diff)
	}
	if file := filesOf(t, string(s)); len(file) > 1 { // a column is lost
		must(t, os.Remove(string(s)+"/"+file[0]))
	}
	if _, err := cache().Load(t.Context()); !errors.Is(err, netmapcache.ErrCorrupt) {
		t.Errorf("Load without a column: %v", err)
	}
	must(t, cache().Clear(t.Context()))
	if files := filesOf(t, string(s)); len(files) > 0 {
		t.Errorf("left after Clear: %q", files)
	}
}

// filesOf returns the names of the files in dir.
func filesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
