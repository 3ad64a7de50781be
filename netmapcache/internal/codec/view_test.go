package codec

import (
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
)

func TestViewsAreNotCloned(t *testing.T) {
	n, h, u := new(tailcfg.Node), new(tailcfg.Hostinfo), new(tailcfg.UserProfile)
	if structOf(n.View()) != n || structOf(h.View()) != h || structOf(u.View()) != u {
		t.Error("got another pointer than the one in the view")
	}
	nodes := netmaptest.Realistic(100, 1).Peers
	var buf []byte
	if allocs := testing.AllocsPerRun(10, func() {
		buf = AppendPeers(buf[:0], nodes)
	}); allocs > float64(len(nodes)+10) { // one for each machine key
		t.Errorf("%v allocations for %d nodes", allocs, len(nodes))
	}
}

// otherView is a view that holds more than a pointer.
type otherView struct {
	node *tailcfg.Node
	_    int
}

func (v otherView) Valid() bool             { return v.node != nil }
func (v otherView) AsStruct() *tailcfg.Node { return v.node.Clone() }

func TestOtherViewsAreCloned(t *testing.T) {
	n := &tailcfg.Node{ID: 7}
	if got := structOf(otherView{node: n}); got == n || got.ID != 7 {
		t.Errorf("got %p with ID %d, want a clone of %p", got, got.ID, n)
	}
}

func TestInvalidViews(t *testing.T) {
	if structOf(tailcfg.NodeView{}) != nil || structOf(tailcfg.HostinfoView{}) != nil || structOf(tailcfg.UserProfileView{}) != nil {
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
