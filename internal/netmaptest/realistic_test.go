package netmaptest

import (
	"encoding/json"
	"testing"
)

func TestSize(t *testing.T) {
	nm := Realistic(1000, 1)
	total := 0
	for _, p := range nm.Peers {
		j, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		total += len(j)
	}
	mean := total / len(nm.Peers)
	t.Logf("%d bytes of JSON a peer, %d users", mean, len(nm.UserProfiles))
}
func TestHostile(t *testing.T) {
	for s := range uint64(300) {
		if d := Diff(Hostile(s), Hostile(s)); d != "" {
			t.Fatal(s, d)
		}
		h := Hostile(s)
		if d := Diff(FreshPointers(h), h); d != "" {
			t.Fatal(s, d)
		}
		HostileJSON(s)
	}
	if d := Diff(Realistic(100, 1), Realistic(100, 1)); d != "" {
		t.Fatal(d)
	}
}
