package node

import (
	"testing"

	"tailscale.com/ipn"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/logger"
)

// TestForgotten starts a node from its cache whose control has forgotten it, and asks for a login. The cached network map
// keeps the backend from saying so.
func TestForgotten(t *testing.T) {
	r := newRig(t)
	first := r.start()
	first.awaitSaved()
	first.Stop()
	r.control.Set(false)
	second := r.start()
	second.await("the cached network map", func(s State, _ []Mark) bool { return s.Backend == ipn.Starting || s.Backend == ipn.Running })

	r.control.Replace(&testcontrol.Server{Logf: logger.Discard, RequireAuth: true, ExplicitBaseURL: r.url})
	r.control.Set(true)
	second.Retry()
	s := second.await("an offer to sign in", func(s State, _ []Mark) bool { return s.Phase == Login && s.LoginURL != "" })
	if s.Backend == ipn.NeedsLogin || second.Netmap() == nil {
		t.Errorf("the cached network map is gone; the backend's state is %v", s.Backend)
	}
}
