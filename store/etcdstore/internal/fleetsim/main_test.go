package main

import (
	"testing"
	"time"
)

// TestLargeFleet: what docs/fleet.md says of 10,000 nodes with 10,000 peers, one of which changes each second.
func TestLargeFleet(t *testing.T) {
	s, err := measure(10_000)
	if err != nil {
		t.Fatal(err)
	}
	f := fleet{nodes: 10_000, sizes: s, shared: true, delay: 30 * time.Second, rate: 1, life: 6 * time.Hour}
	r := f.simulate(3 * time.Minute)
	if total := r.stored + 60*r.bytes; total > 2e9 || r.writes > 2000 {
		t.Errorf("%s stored with a minute's history, %.0f writes a second; want at most 2 GB and 2,000", size(total), r.writes)
	}
	f.shared = false
	if alone := f.simulate(3 * time.Minute); alone.stored < 10*r.stored {
		t.Errorf("%s stored without sharing, %s with it", size(alone.stored), size(r.stored))
	}
}
