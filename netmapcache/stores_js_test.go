package netmapcache_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// eachStore runs f with an empty store of each kind that the platform has.
func eachStore(t *testing.T, f func(t *testing.T, s netmapcache.Store)) {
	t.Run("memstore", func(t *testing.T) { f(t, memstore.New()) })
	open := func(t *testing.T) netmapcache.Store {
		s, err := idbstore.Open(t.Context(), fmt.Sprintf("%s-%x", t.Name(), rand.Uint64()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	t.Run("idbstore", func(t *testing.T) { f(t, open(t)) })
	t.Run("sealed", func(t *testing.T) { f(t, seal(t, open(t))) })
}
