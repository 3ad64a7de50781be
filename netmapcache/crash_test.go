//go:build !js

package netmapcache_test

import (
	"fmt"
	"testing"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/plainstore"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/types/netmap"
)

// TestCrashes ends every call of a Cache after each operation on the store. The
// snapshot from before or after the call is left, and the one from after if the call has returned. The tests of
// package filestore cover power cuts.
func TestCrashes(t *testing.T) {
	kinds := map[string]func(*memstore.Store) store.Store{
		"atomic store": func(s *memstore.Store) store.Store { return s },
		"plain store":  func(s *memstore.Store) store.Store { return plainstore.New(s) },
	}
	for kind, open := range kinds {
		for _, script := range cachetest.Scripts() {
			t.Run(fmt.Sprintf("%s, %s", kind, script.Name), func(t *testing.T) {
				under := memstore.New()
				s := open(under)
				if err := script.Fill(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				c := netmapcache.NewCache(s)
				for i, step := range script.Steps {
					moments := []map[string]string{contents(t, s)}
					under.After = func(op, key string) error {
						moments = append(moments, contents(t, s))
						return nil
					}
					if err := step.Call(t.Context(), c); err != nil {
						t.Fatalf("%s: %v", step.Name, err)
					}
					under.After = nil
					moments = append(moments, contents(t, s))
					for n, moment := range moments {
						wants := []*netmap.NetworkMap{script.Before(i), step.Want}
						if n == len(moments)-1 {
							wants = wants[1:]
						}
						left := memstore.New()
						for key, value := range moment {
							if err := left.Store(t.Context(), key, []byte(value)); err != nil {
								t.Fatal(err)
							}
						}
						if err := afterCrash(t, left, open(left), wants); err != nil {
							t.Errorf("%s: ended after %d of %d operations: %v", step.Name, n, len(moments)-2, err)
						}
					}
				}
			})
		}
	}
}

// afterCrash checks that one of wants is left in s, and that a Cache can go on from
// there. The first atomic commit removes orphans.
func afterCrash(t *testing.T, atomic, s store.Store, wants []*netmap.NetworkMap) error {
	if _, err := cachetest.Loads(t.Context(), netmapcache.NewCache(s), wants...); err != nil {
		return err
	}
	mustStore(t, netmapcache.NewCache(s), cachetest.Other())
	if _, err := cachetest.Loads(t.Context(), netmapcache.NewCache(s), cachetest.Other()); err != nil {
		return err
	}
	return cachetest.Recovers(t.Context(), atomic, netmapcache.NewCache(atomic), cachetest.Other())
}
