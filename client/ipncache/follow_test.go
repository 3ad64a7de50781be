package ipncache

import (
	"testing"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"tailscale.com/ipn"
)

// TestFollow goes through every kind of change.
func TestFollow(t *testing.T) {
	r := newRig(t)
	d, last := r.startSaved()
	for _, kind := range []tailnet.Kind{
		tailnet.PeerOnline, tailnet.PeerEndpoints, tailnet.PeerRelay, tailnet.PeerTags, tailnet.PeerLeaves,
		tailnet.PeerAppears, tailnet.UserRenamed, tailnet.FilterChanged, tailnet.DNSChanged,
	} {
		t.Log(kind)
		if !r.network.Change(kind) {
			t.Fatalf("%s: nothing to change", kind)
		}
		last = d.awaitSaved(last)
	}
}

// TestResume starts a backend with control down, and takes control up again.
func TestResume(t *testing.T) {
	r := newRig(t)
	first, last := r.startSaved()
	nodeKey := first.NodeKey()
	first.stop()
	r.control.Set(false)

	second := r.start()
	if err := second.awaitEvent(Restored); err != nil {
		t.Fatal(err)
	}
	restored := second.NetMapWithPeers()
	if !restored.Cached {
		t.Error("the backend's netmap isn't marked as cached")
	}
	if diff := second.diff(last); diff != "" {
		t.Errorf("the backend's netmap differs from the last one saved:\n%s", diff)
	}
	if s := second.State(); s != ipn.Starting && s != ipn.Running {
		t.Errorf("state %v with a cached netmap", s)
	}

	r.control.Set(true)
	second.await("a live netmap", second.live)
	if got := second.NodeKey(); got != nodeKey {
		t.Errorf("back with node key %v, had %v", got, nodeKey)
	}
	r.network.Change(tailnet.PeerTags)
	second.awaitSaved(last)
}
