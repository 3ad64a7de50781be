package node

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/net/tsaddr"
)

// TestExitNode asks for peers as exit nodes, of which some offer to be one.
func TestExitNode(t *testing.T) {
	r := newRig(t)
	first := r.start()
	first.awaitSaved()
	first.Stop()
	r.control.Set(false) // the peers are those that were saved
	outside := netip.MustParseAddr("203.0.113.5")
	var offers, not string
	for _, p := range mustLoad(t, netmapcache.NewCache(r.networks)).Peers {
		if tsaddr.ContainsExitRoutes(p.AllowedIPs()) {
			offers = p.Name()
		} else {
			not = p.Name()
		}
	}
	for _, test := range []struct{ exitNode, problem string }{
		{"", "no peer"}, {offers, ""}, {not, "offers no way out"}, {"nobody", "no peer is called"},
	} {
		t.Run(test.exitNode, func(t *testing.T) {
			d := r.startWith(func(o *Options) { o.ExitNode = test.exitNode })
			d.t = t
			defer d.Stop()
			d.await("the exit node", func(s State, _ []Mark) bool {
				return d.Netmap() != nil && (s.ExitNodeError != "") == (test.exitNode != "" && test.problem != "") && (d.peerAt(outside) != 0) == (test.exitNode == offers)
			})
			if test.exitNode == offers {
				return // a way, to where nobody is
			}
			if _, err := d.get("http://" + outside.String() + "/"); err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%v; want %q", err, test.problem)
			}
		})
	}
}
