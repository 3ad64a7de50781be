package ipncache

import (
	"errors"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// TestFromUpstream: Tailscale's own cache has stored a device's netmap. The device starts offline, and goes online.
func TestFromUpstream(t *testing.T) {
	for _, test := range []struct {
		name   string
		stored func(self *tailcfg.Node)
		maxAge time.Duration
		want   error
	}{
		{name: "its own", stored: func(*tailcfg.Node) {}},
		{
			name:   "another node's",
			stored: func(self *tailcfg.Node) { self.Key = key.NewNode().Public() },
			want:   netmapcache.ErrWrongOwner,
		},
		{name: "of unknown age", stored: func(*tailcfg.Node) {}, maxAge: time.Hour, want: netmapcache.ErrCacheNotAvailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			d, last := r.startSaved()
			d.stop()
			if err := netmapcache.NewCache(r.networks).Clear(t.Context()); err != nil {
				t.Fatal(err)
			}
			nm := *last
			nm.Cached = false
			self := last.SelfNode.AsStruct()
			test.stored(self)
			nm.SelfNode = self.View()
			if err := upstream.NewCache(r.networks).Store(t.Context(), &nm); err != nil {
				t.Fatal(err)
			}

			r.opts.MaxAge = test.maxAge
			r.control.Set(false)
			d = r.start()
			if err := d.awaitEvent(Restored); !errors.Is(err, test.want) {
				t.Fatalf("restored: %v; want %v", err, test.want)
			}
			if nm := d.NetMapWithPeers(); (nm != nil) != (test.want == nil) || nm != nil && len(nm.Peers) != len(last.Peers) {
				t.Errorf("the backend has %v", nm)
			}
			r.control.Set(true)
			d.await("a live netmap", d.live)
			d.awaitSaved(nil)
			d.stop()
			for key := range r.networks.List(t.Context(), "peer-") {
				t.Errorf("what Tailscale's own cache stored is still there: %s", key)
				break
			}
		})
	}
}
