//go:build js

package idbstore

import (
	"fmt"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// TestListPages lists numbers of keys that end near the end of a page.
func TestListPages(t *testing.T) {
	ctx, s := t.Context(), open(t, databaseOf(t))
	keys := fillKeys(t, s, pageKeys-1)
	for range 3 {
		wantKeys(t, s, keys)
		keys = append(keys, fmt.Sprint(keys[len(keys)-1], "x"))
		if err := s.Store(ctx, keys[len(keys)-1], nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWalkAborted aborts a transaction in the middle of a page of keys. List begins
// the page anew.
func TestWalkAborted(t *testing.T) {
	s := open(t, databaseOf(t))
	keys := fillKeys(t, s, 100)
	mustRun(t, `
		const step = IDBCursor.prototype.continue;
		let steps = 0;
		IDBCursor.prototype.continue = function(...args) {
			step.apply(this, args);
			if (++steps < 50) return;
			IDBCursor.prototype.continue = step;
			this.request.transaction.abort();
		}`)
	wantKeys(t, s, keys)
}

// fillKeys stores n keys and returns them in order.
func fillKeys(t *testing.T, s *Store, n int) (keys []string) {
	t.Helper()
	var ch store.Change
	for i := range n {
		keys = append(keys, fmt.Sprintf("k%05d", i))
		ch.Put = append(ch.Put, store.Entry{Key: keys[i]})
	}
	if err := s.Commit(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
	return keys
}

func wantKeys(t *testing.T, s *Store, want []string) {
	t.Helper()
	var got []string
	for key, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("List gave %d keys, want %d and in order", len(got), len(want))
	}
}
