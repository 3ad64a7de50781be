//go:build !js

package codec

import (
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
)

func TestViewsAreNotCloned(t *testing.T) {
	r := newViewReader()
	n, h, u := new(tailcfg.Node), new(tailcfg.Hostinfo), new(tailcfg.UserProfile)
	for range 2 {
		if r.nodeOf(n.View()) != n || r.hostinfoOf(h.View()) != h || r.userOf(u.View()) != u {
			t.Fatal("got another pointer than the one in the view")
		}
	}
	if r.node != nil || r.hostinfo != nil || r.user != nil {
		t.Error("a pointer is kept")
	}
	nodes := netmaptest.Realistic(100, 1).Peers
	var buf []byte
	if allocs := testing.AllocsPerRun(10, func() {
		buf = AppendPeers(buf[:0], nodes)
	}); allocs > float64(len(nodes)+10) { // one for each machine key

		t.Errorf("%v allocations for %d nodes", allocs, len(nodes))
	}
}

// TestViewsFallBackToClones uses an encoder that hands over no pointers.
func TestViewsFallBackToClones(t *testing.T) {
	nm := netmaptest.Hostile(1)
	r := &viewReader{enc: jsontext.NewEncoder(io.Discard)}
	for i, p := range nm.Peers {
		n := r.nodeOf(p)
		if diff := netmaptest.Diff(n.View(), p); diff != "" {
			t.Errorf("peer %d: %s", i, diff)
		}
	}
	if r.enc != nil {
		t.Error("structs were not cloned")
	}
}

func TestInvalidViews(t *testing.T) {
	r := newViewReader()
	if r.nodeOf(tailcfg.NodeView{}) != nil || r.hostinfoOf(tailcfg.HostinfoView{}) != nil || r.userOf(tailcfg.UserProfileView{}) != nil {
		t.Error("an invalid view has a struct")
	}
	if _, err := DecodeNode(AppendNode(nil, tailcfg.NodeView{})); err == nil {
		t.Error("an invalid node is decoded")
	}
	users, err := DecodeUsers(AppendUsers(nil, []tailcfg.UserID{7}, nil))
	if err != nil || len(users) != 1 || users[0].ID != 7 || users[0].Profile != nil {
		t.Errorf("user without a profile: got %v, %v", users, err)
	}
}
