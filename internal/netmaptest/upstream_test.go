package netmaptest

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/types/netmap"
)

// TestSurvivesUpstream checks that upstream's cache can tell all of what
// HostileJSON and Realistic make, but for what isn't exported, so that what it
// gives back can be compared strictly.
func TestSurvivesUpstream(t *testing.T) {
	var nms []*netmap.NetworkMap
	for seed := range uint64(100) {
		nms = append(nms, HostileJSON(seed))
	}
	nms = append(nms, Realistic(0, 1), Realistic(500, 1), HostileNames(Realistic(100, 1)))
	for i, nm := range nms {
		store := memStore{}
		if err := netmapcache.NewCache(store).Store(t.Context(), nm); err != nil {
			t.Fatalf("netmap %d: %v", i, err)
		}
		got, err := netmapcache.NewCache(store).Load(t.Context())
		if err != nil {
			t.Fatalf("netmap %d: %v", i, err)
		}
		if d := Diff(got, nm, Ignore("netmap.NetworkMap.Cached", "tailcfg.Node.computedHostIfDifferent")); d != "" {
			t.Errorf("netmap %d:\n%s", i, d)
		}
	}
}

// memStore is a store for upstream's cache.
type memStore map[string][]byte

func (s memStore) List(_ context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, k := range slices.Sorted(maps.Keys(s)) {
			if strings.HasPrefix(k, prefix) && !yield(k, nil) {
				return
			}
		}
	}
}

func (s memStore) Load(_ context.Context, key string) ([]byte, error) {
	if v, ok := s[key]; ok {
		return v, nil
	}
	return nil, netmapcache.ErrKeyNotFound
}

func (s memStore) Store(_ context.Context, key string, value []byte) error {
	s[key] = slices.Clone(value)
	return nil
}

func (s memStore) Remove(_ context.Context, key string) error {
	delete(s, key)
	return nil
}
