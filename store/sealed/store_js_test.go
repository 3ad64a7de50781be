package sealed_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"github.com/netmapcache/netmapcache/store/storetest"
)

func TestIndexedDB(t *testing.T) {
	open := func(t *testing.T) store.Store {
		s, err := idbstore.Open(t.Context(), fmt.Sprintf("sealed-%x", rand.Uint64()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return seal(t, s)
	}
	// The runtime keeps a goroutine for the event that is being handled. storetest,
	// which counts goroutines, must begin while there is one.
	open(t)
	storetest.Run(t, open, storetest.Options{
		// Large values and many keys take long, and are tested with idbstore.
		LargeValue: 1 << 20,
		Keys:       60,
	})
}
