package node

import "testing"

// TestDiscoKey looks at the disco key that control has: it stays the same until the node logs out.
func TestDiscoKey(t *testing.T) {
	r := newRig(t)
	disco := func(d *device) string {
		d.awaitSaved()
		return d.Netmap().SelfNode.DiscoKey().String()
	}
	started := r.start() // control makes one up before it is told
	disco(started)
	started.Stop()
	first := r.start()
	before := disco(first)
	first.Stop()
	second := r.start()
	if again := disco(second); again != before {
		t.Errorf("after another start it is %v, want %v", again, before)
	}
	if err := second.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.Stop()
	if other := disco(r.start()); other == before {
		t.Error("after a logout it is the same")
	}
}
