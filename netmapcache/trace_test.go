package netmapcache_test

import (
	"errors"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// TestTrace: commits are told, with what they wrote.
func TestTrace(t *testing.T) {
	s := memstore.New()
	var told []netmapcache.CommitInfo
	c := netmapcache.NewCache(s, netmapcache.WithTrace(&netmapcache.Trace{
		Committed: func(i netmapcache.CommitInfo) { told = append(told, i) },
	}))
	other := netmapcache.NewCache(s)
	nm := netmaptest.Realistic(60, 1)
	changed := netmaptest.WithPeerChanged(nm, 7, 1)
	ctx := t.Context()
	for _, step := range []struct {
		name  string
		do    func() error
		check func(i netmapcache.CommitInfo, now netmapcache.Info) bool
	}{
		{"a first Store", func() error { return c.Store(ctx, nm) }, func(i netmapcache.CommitInfo, now netmapcache.Info) bool {
			return i.Columns == now.Columns && i.Bytes == now.Bytes && i.Removed == 0
		}},
		{"an identical Store", func() error { return c.Store(ctx, nm) }, func(i netmapcache.CommitInfo, _ netmapcache.Info) bool {
			return i.Columns == 0 && i.Bytes == 0 && i.Removed == 0
		}},
		{"one peer", func() error { return c.UpdatePeers(ctx, changed.Peers[7:8], nil) }, func(i netmapcache.CommitInfo, now netmapcache.Info) bool {
			return i.Columns == 1 && 0 < i.Bytes && i.Bytes < now.Bytes && i.Removed == 1
		}},
		{"one peer, outrun", func() error {
			mustStore(t, other, nm)
			return c.UpdatePeers(ctx, changed.Peers[7:8], nil)
		}, func(i netmapcache.CommitInfo, _ netmapcache.Info) bool {
			return i.Outrun == 1 && i.Columns == 1
		}},
		{"a full disk", func() error {
			s.Before = func(op, _ string) error {
				if op == "Commit" {
					return errFull
				}
				return nil
			}
			if err := c.Store(ctx, nm); !errors.Is(err, errFull) {
				return err
			}
			s.Before = nil
			return nil
		}, func(i netmapcache.CommitInfo, _ netmapcache.Info) bool {
			return errors.Is(i.Err, errFull) && i.Columns == 0 && i.Bytes == 0
		}},
	} {
		told = nil
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		now, err := other.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(told) != 1 || told[0].Calls != 1 || told[0].Duration < 0 || told[0].Duration > time.Hour || !step.check(told[0], now) {
			t.Errorf("%s: told %+v, the store has %+v", step.name, told, now)
		}
	}
}
