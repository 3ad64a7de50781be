package main

import (
	"testing"
	"time"
)

// TestSession has a node that was started from the cache fetch from a peer before control is back, and after. That must
// take less than fetchTimeout, which is shorter than WireGuard takes to see that the peer has forgotten a session.
func TestSession(t *testing.T) {
	enabled(t)
	ours, _ := buildBoth(t)
	n := newTailnet(t)
	friend := n.addPeer("friend")
	d := newDevice(t, n, ours)
	p := d.startAndGet(friend)
	n.refuse() // the friend remains connected, and will hear of the device at once
	p.close()
	p = d.startAndGet(friend)
	select {
	case <-friend.learns:
	case <-time.After(patience):
		t.Error("the peer isn't told the disco key")
	}
	n.connect()
	p.awaitLive()
	p.get(friend)
	p.close()
}
