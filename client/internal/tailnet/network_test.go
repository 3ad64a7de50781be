package tailnet

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// TestSeed checks that equal seeds make equal networks and changes, which makes what a
// browser kept valid after the server was started anew.
func TestSeed(t *testing.T) {
	make := func() *tailcfg.MapResponse {
		n := New(netmaptest.Realistic(20, 1), 15, 7)
		for range 50 {
			n.Change(PeerLeaves)
			n.Change(PeerAppears)
			n.Change(PeerTags)
			n.Change(PeerEndpoints)
			n.Change(FilterChanged)
			n.Change(DNSChanged)
		}
		mr, _ := n.watch(&client{self: &tailcfg.Node{}})
		mr.ControlTime = nil
		return mr
	}
	if diff := netmaptest.Diff(make(), make()); diff != "" {
		t.Errorf("two networks of one seed differ:\n%s", diff)
	}
}

func TestSizeStaysClose(t *testing.T) {
	n := New(netmaptest.Realistic(20, 1), 10, 1)
	for range 200 {
		n.mu.Lock()
		n.changeLocked(churn[n.rng.IntN(len(churn))])
		n.mu.Unlock()
		if size := n.Size(); size < 9 || size > 11 {
			t.Fatalf("%d peers; want about 10", size)
		}
	}
}

func TestEmptyNetworkDoesNotChange(t *testing.T) {
	n := New(netmaptest.Realistic(0, 1), 0, 1)
	for _, kind := range churn {
		if n.Change(kind) {
			t.Errorf("%s changed a network without peers", kind)
		}
	}
}

// TestSlowClient lets a client fall behind: its poll must end rather than miss a change.
func TestSlowClient(t *testing.T) {
	n := New(netmaptest.Realistic(5, 1), 5, 1)
	_, s := n.watch(&client{self: &tailcfg.Node{}})
	for range streamBacklog + 1 {
		n.Change(PeerOnline)
	}
	got := 0
	for range s.deltas { // ends since the channel is closed
		got++
	}
	if got != streamBacklog {
		t.Errorf("%d changes were delivered before the end; want %d", got, streamBacklog)
	}
	n.unwatch(s)
	n.Change(PeerOnline) // must not be sent to it
}

// TestRefill makes a network of another size while a client follows it.
func TestRefill(t *testing.T) {
	n := New(netmaptest.Realistic(5, 1), 5, 1)
	_, s := n.watch(&client{self: &tailcfg.Node{}})
	n.Refill(netmaptest.Realistic(12, 1), 10)
	if _, ok := <-s.deltas; ok {
		t.Error("the client's poll goes on; want it to end, and the client to ask anew")
	}
	n.unwatch(s)
	mr, _ := n.watch(&client{self: &tailcfg.Node{}})
	if len(mr.Peers) != 10 || n.Size() != 10 {
		t.Errorf("%d peers are told of, %d are there; want 10", len(mr.Peers), n.Size())
	}
	self := n.join(&tailcfg.Node{}, &tailcfg.MapRequest{}).self
	known := false
	for _, u := range mr.UserProfiles {
		known = known || u.ID == self.User
	}
	if !known {
		t.Error("the user of the client's own node is not told of")
	}
	if !n.Change(PeerAppears) || n.Size() != 11 {
		t.Errorf("%d peers after one appeared; want 11", n.Size())
	}
}

// TestSelfNodes checks that clients are different nodes, and none is a peer.
func TestSelfNodes(t *testing.T) {
	n := New(netmaptest.Realistic(20, 1), 20, 1)
	ids := map[tailcfg.NodeID]bool{}
	stable := map[tailcfg.StableNodeID]bool{}
	for id, p := range n.present {
		ids[id], stable[p.StableID] = true, true
	}
	for i := range 10 {
		k := key.NewNode().Public()
		self := n.join(&tailcfg.Node{ID: tailcfg.NodeID(1 + i)}, &tailcfg.MapRequest{NodeKey: k}).self
		if ids[self.ID] || stable[self.StableID] {
			t.Errorf("client %d has the ID of another node", i)
		}
		ids[self.ID], stable[self.StableID] = true, true
		if self.Key != k {
			t.Errorf("client %d has node key %v; want its own, %v", i, self.Key, k)
		}
	}
}

// TestExpireKeys lets a client's key expire: with a new one it is the same node again.
func TestExpireKeys(t *testing.T) {
	n := New(netmaptest.Realistic(3, 1), 3, 1)
	registered := &tailcfg.Node{ID: 1}
	join := func(k key.NodePublic) *client { return n.join(registered, &tailcfg.MapRequest{NodeKey: k}) }
	old, renewed := key.NewNode().Public(), key.NewNode().Public()
	c := join(old)
	_, s := n.watch(c)
	n.ExpireKeys()
	if told := (<-s.deltas).Node; !told.KeyExpiry.Before(time.Now()) {
		t.Errorf("the client is told that its key expires at %v; want it expired", told.KeyExpiry)
	}
	if self := join(old).self; !self.KeyExpiry.Before(time.Now()) {
		t.Errorf("with the same key, that expires at %v; want it expired", self.KeyExpiry)
	}
	if self := join(renewed).self; self.StableID != c.self.StableID || !self.KeyExpiry.After(time.Now()) {
		t.Errorf("with a new key, it is %s, until %v; want %s, and later", self.StableID, self.KeyExpiry, c.self.StableID)
	}
}

// recorder is a client's end of a poll.
type recorder struct {
	sent []*tailcfg.MapResponse
	err  error
}

func (r *recorder) SendMapMessage(mr *tailcfg.MapResponse) error {
	r.sent = append(r.sent, mr)
	return r.err
}

func TestServeMap(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name       string
		req        tailcfg.MapRequest
		registered *tailcfg.Node
		sendErr    error
		wantSent   int
		wantErr    error
	}{
		{name: "only an update", req: tailcfg.MapRequest{}, wantSent: 1},
		{name: "not registered", req: tailcfg.MapRequest{Stream: true}, wantSent: 0},
		{name: "connection lost", req: tailcfg.MapRequest{Stream: true}, registered: &tailcfg.Node{ID: 1}, sendErr: broken, wantSent: 1, wantErr: broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := New(netmaptest.Realistic(3, 1), 3, 1)
			r := &recorder{err: test.sendErr}
			err := n.serveMap(context.Background(), r, &test.req, test.registered)
			if !errors.Is(err, test.wantErr) || len(r.sent) != test.wantSent {
				t.Errorf("sent %d messages, %v; want %d, %v", len(r.sent), err, test.wantSent, test.wantErr)
			}
			if len(n.streams) != 0 {
				t.Errorf("%d streams are left", len(n.streams))
			}
		})
	}
}
