package node

import (
	"testing"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"tailscale.com/types/logger"
)

// TestRemoved has control remove a node that is live: it learns that it has to sign in.
func TestRemoved(t *testing.T) {
	r := newRig(t)
	control := tailnet.NewControl(r.network, logger.Discard)
	r.control.Replace(control)
	d := r.start()
	first := d.awaitSaved().NodeKey
	control.Admit(tailnet.Admission{Login: true}, r.url)
	control.Remove()
	s := d.await("a way to sign in", func(s State, _ []Mark) bool { return s.Phase == Login && s.LoginURL != "" })
	if !s.KeyExpired.IsZero() {
		t.Errorf("the key expired at %v", s.KeyExpired)
	}
	if !control.SignIn(s.LoginURL) {
		t.Fatalf("control knows nothing of %s", s.LoginURL)
	}
	d.await("another key", func(s State, _ []Mark) bool { return s.Phase == Live && s.NodeKey != first })
}
