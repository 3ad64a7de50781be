package netmapcache

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
)

// TestDividePeers changes lists of peers at random. The list has the same columns, whether the parts of peers come from the
// earlier list or from the peers.
func TestDividePeers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	pool := netmaptest.Realistic(400, 1).Peers
	twin := func(p tailcfg.NodeView, change func(*tailcfg.Node)) tailcfg.NodeView {
		n := p.AsStruct()
		change(n)
		return n.View()
	}
	for range 300 {
		peers := slices.Clone(pool[:1+rng.IntN(300)])
		rng.Shuffle(rng.IntN(2)*len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
		if rng.IntN(4) == 0 {
			peers[rng.IntN(len(peers))] = peers[0] // the same peer twice
		}
		next := slices.Clone(peers)
		for range rng.IntN(4) {
			i := rng.IntN(len(next) + 1)
			switch op := rng.IntN(6); {
			case op == 0 || i == len(next):
				next = slices.Insert(next, i, pool[300+rng.IntN(100)])
			case op == 1:
				next = slices.Delete(next, i, i+1)
			case op == 2:
				next[i] = twin(pool[rng.IntN(len(pool))], func(n *tailcfg.Node) { n.User++ })
			case op == 3:
				next[i] = tailcfg.NodeView{}
			case next[i].Valid():
				next[i] = twin(next[i], func(n *tailcfg.Node) { n.Expired = !n.Expired })
			}
		}
		valid := slices.DeleteFunc(slices.Clone(next), func(p tailcfg.NodeView) bool { return !p.Valid() })
		old, parts := dividePeers(peers, given{}, list[tailcfg.NodeView]{})
		got, _ := dividePeers(next, given{peers: peers, parts: parts}, old)
		want := peerOps.divide(valid, old)
		if !slices.EqualFunc(got.columns, want.columns, sameColumn) || !slices.EqualFunc(got.parts, want.parts, slices.Equal) {
			t.Fatalf("%d peers became %d: the columns differ from those of all peers", len(peers), len(next))
		}
	}
}

// TestEditLooksOnce: an edit looks at each element of a part a bounded number of times, however many elements are
// edited. Somebody who can choose IDs can make all elements belong to one part.
func TestEditLooksOnce(t *testing.T) {
	const n = 2000
	looks := 0
	ops := listOps[user, tailcfg.UserID]{
		perPart: n,
		key:     func(u user) tailcfg.UserID { looks++; return u.id },
		hash:    func(tailcfg.UserID) uint64 { return 0 },
		compare: userOps.compare,
		encode:  func(dst []byte, _ []user) []byte { return append(dst, 0) },
	}
	var users []user
	edits := make(map[tailcfg.UserID]func([]user) []user)
	for i := range tailcfg.UserID(n) {
		users = append(users, user{id: i})
		edits[i] = func([]user) []user { return []user{{id: i}} }
	}
	old := ops.divide(users, list[user]{})
	looks = 0
	if l := ops.edit(old, edits); len(l.parts[0]) != n || looks > 4*n {
		t.Errorf("%d looks at %d elements of a part of %d", looks, n, len(l.parts[0]))
	}
}

func sameColumn(a, b *column) bool {
	entry := func(c *column) format.Column {
		if c == nil {
			return format.Column{}
		}
		return c.Column
	}
	return entry(a) == entry(b)
}
