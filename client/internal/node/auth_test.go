package node

import (
	"strings"
	"testing"

	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/logger"
)

// TestAuthKey starts nodes whose control lets in those with a key alone.
func TestAuthKey(t *testing.T) {
	for _, test := range []struct {
		key string
		in  bool
	}{{"right", true}, {"wrong", false}} {
		t.Run(test.key, func(t *testing.T) {
			r := newRig(t)
			r.control.Replace(&testcontrol.Server{Logf: logger.Discard, RequireAuthKey: "right", ExplicitBaseURL: r.url})
			d := r.startWith(func(o *Options) { o.AuthKey = test.key })
			s := d.await("an answer of control", func(s State, _ []Mark) bool { return s.Phase == Live || s.Error != "" })
			if (s.Phase == Live) != test.in || !test.in && !strings.Contains(s.Error, "auth") {
				t.Errorf("phase %s, error %q", s.Phase, s.Error)
			}
		})
	}
}

// TestApproval starts a node that an administrator has to let in.
func TestApproval(t *testing.T) {
	r := newRig(t)
	control := &testcontrol.Server{Logf: logger.Discard, RequireMachineAuth: true, ExplicitBaseURL: r.url}
	r.control.Replace(control)
	d := r.start()
	s := d.await("a wait for approval", func(s State, _ []Mark) bool { return s.Phase == Approval })
	if !control.CompleteDeviceApproval(r.url, r.url+"/admin", &s.NodeKey) {
		t.Fatal("the node isn't known to control")
	}
	d.await("the network map", func(s State, _ []Mark) bool { return s.Phase == Live })
}
