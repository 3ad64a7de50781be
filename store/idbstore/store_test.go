//go:build js

package idbstore

import (
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
	"github.com/netmapcache/netmapcache/store/storetest"
)

func TestStore(t *testing.T) {
	// The runtime keeps a goroutine for the event that is being handled. storetest,
	// which counts goroutines, must begin while there is one.
	open(t, databaseOf(t))
	storetest.Run(t,
		func(t *testing.T) store.Store { return open(t, databaseOf(t)) },
		storetest.Options{
			Reopen: func(t *testing.T, s store.Store) store.Store {
				s.(*Store).Close()
				return open(t, s.(*Store).database)
			},
			Live: browser.LiveFuncs,
		})
}

// databaseOf returns a name for t's own use: all tests share an origin.
func databaseOf(t *testing.T) string { return place + strings.ReplaceAll(t.Name(), "/", " ") }

func open(t *testing.T, database string) *Store {
	t.Helper()
	s, err := Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// settle waits until count is no greater than want. Listeners and goroutines end
// a moment after the call that they served.
func settle(t *testing.T, what string, count func() int, want int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); count() > want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d %s left, want %d", count(), what, want)
		}
	}
}
