package storetest_test

import (
	"context"
	"fmt"
	"iter"
	"log"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// ownStore is the least that a store can be. TestOwnStore runs the suite on it:
//
//	func TestOwnStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return new(ownStore) }, storetest.Options{})
//	}
type ownStore struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (s *ownStore) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		s.mu.Lock()
		keys := slices.Sorted(maps.Keys(s.values))
		s.mu.Unlock()
		for _, key := range keys {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if strings.HasPrefix(key, prefix) && !yield(key, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield("", err)
		}
	}
}

func (s *ownStore) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[key]
	if !ok {
		return nil, store.ErrKeyNotFound
	}
	return slices.Clone(value), nil
}

func (s *ownStore) Store(ctx context.Context, key string, value []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !store.ValidKey(key) {
		return store.ErrBadKey
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = make(map[string][]byte)
	}
	s.values[key] = slices.Clone(value)
	return nil
}

func (s *ownStore) Remove(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, key)
	return nil
}

// A cache works over any store that passes the suite.
func Example() {
	ctx := context.Background()
	cache := netmapcache.NewCache(new(ownStore))
	nm := &netmap.NetworkMap{SelfNode: (&tailcfg.Node{ID: 1, StableID: "n1", User: 100, Name: "laptop.example.ts.net."}).View()}
	if err := cache.Store(ctx, nm); err != nil {
		log.Fatal(err)
	}
	nm, err := cache.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(nm.SelfNode.Name())
	// Output:
	// laptop.example.ts.net.
}
