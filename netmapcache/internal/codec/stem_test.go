package codec

import (
	"reflect"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
)

// TestStem: display names are written in relation to each other, and survive exactly.
func TestStem(t *testing.T) {
	const name = "build-box.example.ts.net."
	for _, tt := range []struct {
		computed, withHost string
		want               any // written for withHost
	}{
		{"build-box", "build-box", uint64(9)},
		{"build-box", "build-box (ci)", []any{uint64(9), " (ci)"}},
		{"build-box", "buil", uint64(4)},
		{"build-box", "bui", uint64(3)},
		{"build-box", "buil!", []any{uint64(4), "!"}},
		{"build-box", "bui!", "bui!"},
		{"build-box", "other", "other"},
		{"build-böx", "build-bøx", []any{uint64(8), []byte("\xb8x")}}, // parted within a letter
		{"build-bö", "build-b\xc3", uint64(8)},
		{"", "build-box", "build-box"},
		{"build-box", "", nil},
	} {
		n := &tailcfg.Node{Name: name, ComputedName: tt.computed, ComputedNameWithHost: tt.withHost}
		data := AppendNode(nil, n.View())
		x := generic(t, data)
		if got := x.(map[any]any)[fieldNumbers["tailcfg.Node.ComputedNameWithHost"]]; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q after %q is written as %v, want %v", tt.withHost, tt.computed, got, tt.want)
		}
		got, err := DecodeNode(data)
		if err != nil {
			t.Fatal(err)
		}
		oracle := new(tailcfg.Node)
		if err := build(reflect.ValueOf(oracle).Elem(), x); err != nil {
			t.Fatal(err)
		}
		for _, got := range []*tailcfg.Node{got, oracle} {
			if diff := netmaptest.Diff(got, n); diff != "" {
				t.Errorf("%q after %q: %s", tt.withHost, tt.computed, diff)
			}
		}
	}
}
