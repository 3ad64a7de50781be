package codec

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
)

// TestSharedCapMaps decodes nodes of which some have equal capabilities, others similar
// ones, of more kinds than are remembered.
func TestSharedCapMaps(t *testing.T) {
	var (
		want  []*tailcfg.Node
		peers []tailcfg.NodeView
	)
	add := func(m tailcfg.NodeCapMap) {
		n := &tailcfg.Node{ID: tailcfg.NodeID(len(peers) + 1), CapMap: m}
		want, peers = append(want, n), append(peers, n.View())
	}
	for range 3 {
		add(nil)
		add(tailcfg.NodeCapMap{})
		add(tailcfg.NodeCapMap{"a": nil})
		add(tailcfg.NodeCapMap{"a": {}})
		add(tailcfg.NodeCapMap{"a": {"1"}})
		add(tailcfg.NodeCapMap{"a": {"1", "2"}})
		add(tailcfg.NodeCapMap{"a": {"1"}, "b": {"2"}})
	}
	first, again := 2, 2+7
	for i := range 2 * maxShared {
		add(tailcfg.NodeCapMap{"a": {tailcfg.RawMessage(fmt.Sprint(i / 2))}})
	}
	got, err := DecodePeers(AppendPeers(nil, peers))
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range got {
		if diff := netmaptest.Diff(n, want[i]); diff != "" {
			t.Errorf("peer %d: %s", i, diff)
		}
	}
	if reflect.ValueOf(got[first].CapMap).Pointer() != reflect.ValueOf(got[again].CapMap).Pointer() {
		t.Error("equal capabilities are not shared")
	}
}
