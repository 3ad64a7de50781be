package netmaptest

import (
	"slices"
	"strings"
	"testing"

	"tailscale.com/types/netmap"
)

// shared returns how many of the peers of a are, by pointer, peers of b.
func shared(a, b *netmap.NetworkMap) int {
	n := 0
	for _, p := range a.Peers {
		if slices.Contains(b.Peers, p) {
			n++
		}
	}
	return n
}

func TestChanges(t *testing.T) {
	nm := Realistic(20, 1)
	original := deepCopy(nm)
	user := nm.Peers[0].User()
	tests := []struct {
		name   string
		got    *netmap.NetworkMap
		shared int      // peers shared with nm
		want   []string // the beginnings of the paths that differ
	}{
		{"WithPeerChanged", WithPeerChanged(nm, 7, 1), 19, []string{".Peers[7].DiscoKey", ".Peers[7].Endpoints", ".Peers[7].HomeDERP"}},
		{"WithPeersAdded", WithPeersAdded(nm, 3, 1), 20, []string{".Peers", ".UserProfiles"}},
		{"WithPeersRemoved", WithPeersRemoved(nm, 0, 19), 18, []string{".Peers", "and "}},
		{"WithSelfChanged", WithSelfChanged(nm, 1), 20, []string{".SelfNode.Endpoints", ".SelfNode.HomeDERP"}},
		{"WithUserChanged", WithUserChanged(nm, user, 1), 20, []string{".UserProfiles[" + user.String()}},
		{"WithFilterChanged", WithFilterChanged(nm, 1), 20, []string{".PacketFilter", ".PacketFilterRules"}},
		{"FreshPointers", FreshPointers(nm), 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if n := shared(tt.got, nm); n != tt.shared {
				t.Errorf("%d peers are shared, want %d", n, tt.shared)
			}
			for line := range strings.Lines(Diff(tt.got, nm)) {
				if !slices.ContainsFunc(tt.want, func(p string) bool { return strings.HasPrefix(line, p) }) {
					t.Errorf("unexpected difference %s", line)
				}
			}
			for _, p := range tt.want {
				if !strings.Contains("\n"+Diff(tt.got, nm), "\n"+p) {
					t.Errorf("no difference in %s", p)
				}
			}
			if !slices.IsSortedFunc(tt.got.Peers, byID) {
				t.Error("peers aren't in order")
			}
			if d := Diff(nm, original); d != "" {
				t.Fatalf("the original changed:\n%s", d)
			}
		})
	}
}

func TestChangesStayConsistent(t *testing.T) {
	nm := Realistic(30, 2)
	nm = WithPeersAdded(nm, 20, 1)
	nm = WithPeersAdded(nm, 20, 2)
	nm = WithPeerChanged(nm, 3, 9)
	nm = WithSelfChanged(nm, 5)
	nm = WithFilterChanged(nm, 6)
	if len(nm.Peers) != 70 {
		t.Errorf("%d peers, want 70", len(nm.Peers))
	}
	checkConsistent(t, nm)
}

func TestChangeDependsOnSeed(t *testing.T) {
	nm := Realistic(5, 1)
	if d := Diff(WithPeerChanged(nm, 0, 1), WithPeerChanged(nm, 0, 1)); d != "" {
		t.Error(d)
	}
	if Diff(WithPeerChanged(nm, 0, 1), WithPeerChanged(nm, 0, 2)) == "" {
		t.Error("two seeds give the same change")
	}
}

func TestHostileNames(t *testing.T) {
	nm := Realistic(200, 1)
	original := deepCopy(nm)
	got := HostileNames(nm)
	if d := Diff(nm, original); d != "" {
		t.Fatalf("the original changed:\n%s", d)
	}
	all := map[string]bool{}
	for i, p := range got.Peers {
		all[p.Hostinfo().Hostname()] = true
		if p.StableID() != nm.Peers[i].StableID() || p.ComputedName() == nm.Peers[i].ComputedName() {
			t.Errorf("peer %d: its ID has changed or its name hasn't", i)
		}
	}
	for _, name := range hostileNames {
		if !all[name] {
			t.Errorf("no peer has the host name %.50q", name)
		}
	}
}
