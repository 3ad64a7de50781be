package netmapcache

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
)

// TestReplacePeers changes lists of peers at random. Whether a list was made of the
// one before, or of all peers, it has the same columns.
func TestReplacePeers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	pool := netmaptest.Realistic(400, 1).Peers
	twin := func(p tailcfg.NodeView, change func(*tailcfg.Node)) tailcfg.NodeView {
		n := p.AsStruct()
		change(n)
		return n.View()
	}
	replaced := 0
	for range 300 {
		given := slices.Clone(pool[:1+rng.IntN(300)])
		rng.Shuffle(rng.IntN(2)*len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
		if rng.IntN(4) == 0 {
			given[rng.IntN(len(given))] = given[0] // the same peer twice
		}
		next := slices.Clone(given)
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
		valid := func(peers []tailcfg.NodeView) []tailcfg.NodeView {
			return slices.DeleteFunc(slices.Clone(peers), func(p tailcfg.NodeView) bool { return !p.Valid() })
		}
		old := peerOps.divide(valid(given), list[tailcfg.NodeView]{})
		got, ok := replacePeers(old, given, next)
		if !ok {
			continue
		}
		replaced++
		want := peerOps.divide(valid(next), old)
		if !slices.EqualFunc(got.columns, want.columns, sameColumn) || !slices.EqualFunc(got.parts, want.parts, slices.Equal) {
			t.Fatalf("%d peers became %d: the columns differ from those of all peers", len(given), len(next))
		}
	}
	if replaced < 100 {
		t.Errorf("only %d of 300 changes were made by replacing", replaced)
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
