package netmapcache_test

import (
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
)

func TestWithClock(t *testing.T) {
	saved := time.Date(2020, 2, 2, 0, 0, 0, 0, time.UTC)
	now := saved
	c := netmapcache.NewCache(memstore.New(), netmapcache.WithClock(func() time.Time { return now }))
	nm := netmaptest.Realistic(5, 1)
	mustStore(t, c, nm)
	now = saved.Add(time.Hour)
	mustStore(t, c, nm)
	info, err := c.Info(t.Context())
	must(t, err)
	if !info.SavedAt.Equal(saved) || !info.ConfirmedAt.Equal(now) {
		t.Errorf("saved %v, confirmed %v; want %v and %v", info.SavedAt, info.ConfirmedAt, saved, now)
	}
}
