package ipncache

import (
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/wgengine"
	"tailscale.com/wgengine/magicsock"
)

// A watchedEngine is an engine without peers. It reports what it should do for peers, and the test makes up its sessions.
type watchedEngine struct {
	wgengine.Engine
	session func(key.NodePublic, wgengine.PeerWireGuardState) // tells the backend
	tells   chan tailcfg.NodeID                               // that the disco key is sent to
}

func (e *watchedEngine) SetPeerSessionStateFunc(f func(key.NodePublic, wgengine.PeerWireGuardState)) {
	e.session = f
}

func (e *watchedEngine) tell(m magicsock.NewDiscoKeyAvailable) { e.tells <- m.NodeID }

// TestSessions begins sessions with peers before control is back, and after. The extension must handle only the former.
func TestSessions(t *testing.T) {
	r := newRig(t)
	first, last := r.startSaved()
	first.stop()
	r.control.Set(false)

	d := r.start()
	if err := d.awaitEvent(Restored); err != nil {
		t.Fatal(err)
	}
	gone, peer, late := last.Peers[0], last.Peers[1], last.Peers[2]
	d.engine.session(gone.Key(), wgengine.PeerWireGuardStateHandshake)
	await(t, "the first peer to be told", d.engine.tells, gone.ID())
	d.engine.session(gone.Key(), wgengine.PeerWireGuardStateExpired)
	d.engine.session(peer.Key(), wgengine.PeerWireGuardStateHandshake)
	d.engine.session(peer.Key(), wgengine.PeerWireGuardStateEstablished)
	await(t, "the second peer to be told", d.engine.tells, peer.ID())
	d.awaitSessions()

	r.control.Set(true)
	d.await("a live netmap", d.live)
	r.network.Change(tailnet.PeerTags)
	saved := d.awaitSaved(last) // by the goroutine that tends to sessions first
	d.engine.session(late.Key(), wgengine.PeerWireGuardStateHandshake)
	d.awaitSessions()
	r.network.Change(tailnet.PeerTags)
	d.awaitSaved(saved)
	d.stop()
	if len(d.engine.tells) > 0 {
		t.Errorf("%d peers more were told", len(d.engine.tells))
	}
}

// awaitSessions waits until the backend, and with it the extension, knows of all sessions.
func (d *device) awaitSessions() {
	d.WatchNotifications(d.r.t.Context(), ipn.NotifyPeerWireGuardState, nil, func(*ipn.Notify) bool { return false })
}

func await[T comparable](t *testing.T, what string, from <-chan T, want T) {
	t.Helper()
	select {
	case got := <-from:
		if got != want {
			t.Errorf("waiting for %s: it is %v; want %v", what, got, want)
		}
	case <-time.After(patience):
		t.Errorf("waited for %s in vain", what)
	}
}
