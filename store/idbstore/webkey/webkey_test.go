//go:build js

package webkey

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"syscall/js"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
	"github.com/netmapcache/netmapcache/store/sealed"
)

func mustLoad(t *testing.T, database string) []byte {
	t.Helper()
	key, err := Load(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// record returns the database, open, and the record in it.
func record(t *testing.T, database string) (db, record js.Value) {
	t.Helper()
	db, err := open(t.Context(), js.Global().Get("indexedDB"), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Call("close") })
	record, err = get(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return db, record
}

func TestLoad(t *testing.T) {
	ctx := t.Context()
	before := browser.LiveFuncs()
	key := mustLoad(t, "load")
	if len(key) != sealed.KeySize || bytes.Equal(key, make([]byte, sealed.KeySize)) {
		t.Errorf("key of %d bytes", len(key))
	}
	if again := mustLoad(t, "load"); !bytes.Equal(again, key) {
		t.Error("loaded again, it is another key")
	}
	if other := mustLoad(t, "load other"); bytes.Equal(other, key) {
		t.Error("two databases keep the same key")
	}
	if err := idbstore.Delete(ctx, "load"); err != nil { // which no open connection may block
		t.Fatal(err)
	}
	if next := mustLoad(t, "load"); bytes.Equal(next, key) {
		t.Error("the key outlived its database")
	}
	if live := browser.LiveFuncs(); live > before {
		t.Errorf("%d functions are left, %d before", live, before)
	}
}

func toBytes(t *testing.T, v js.Value) []byte {
	t.Helper()
	array, ok := browser.Array(v)
	if !ok {
		t.Fatalf("%v is not bytes", v)
	}
	return browser.ToBytes(array)
}

// TestStoredForm: the stored key is encrypted, and the key that decrypts it can't be exported.
func TestStoredForm(t *testing.T) {
	key := mustLoad(t, "form")
	_, r := record(t, "form")
	for _, field := range []string{"nonce", "wrapped"} {
		if b := toBytes(t, r.Get(field)); bytes.Contains(b, key[:8]) {
			t.Errorf("%s is stored as %x", field, b)
		}
	}
	wrapping := r.Get("wrapping")
	if wrapping.Get("extractable").Bool() {
		t.Error("the wrapping key is extractable")
	}
	if _, err := browser.Await(t.Context(), js.Global().Get("crypto").Get("subtle").Call("exportKey", "raw", wrapping)); err == nil {
		t.Error("the wrapping key can be exported")
	}
}

// TestAtOnce: calls that make the key at the same time get the same one.
func TestAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	keys := make([][]byte, 8)
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = Load(t.Context(), "at once"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, key := range keys {
		if !bytes.Equal(key, keys[0]) {
			t.Fatal("two got different keys")
		}
	}
}

func TestDamaged(t *testing.T) {
	mustLoad(t, "damaged")
	db, good := record(t, "damaged")
	flipped := toBytes(t, good.Get("wrapped"))
	flipped[0] ^= 1
	bad, err := browser.FromBytes(flipped)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]any{
		"flipped": map[string]any{"wrapping": good.Get("wrapping"), "nonce": good.Get("nonce"), "wrapped": bad},
		"no key":  map[string]any{"nonce": good.Get("nonce"), "wrapped": good.Get("wrapped")},
		"text":    "text",
		"null":    nil,
	} {
		tx := db.Call("transaction", objectStore, "readwrite")
		tx.Call("objectStore", objectStore).Call("put", r, recordKey)
		if err := waitFor(t.Context(), tx, "complete", "abort"); err != nil {
			t.Fatal(err)
		}
		if key, err := Load(t.Context(), "damaged"); key != nil || !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: Load = %x, %v, want ErrDamaged", name, key, err)
		}
	}
}

func TestUnavailable(t *testing.T) {
	object := js.Global().Get("Object")
	for _, missing := range []struct {
		of       js.Value
		property string
	}{
		{js.Global().Get("crypto"), "subtle"},
		{js.Global(), "indexedDB"},
	} {
		there := object.Call("getOwnPropertyDescriptor", missing.of, missing.property)
		object.Call("defineProperty", missing.of, missing.property, map[string]any{"value": nil, "configurable": true})
		key, err := Load(t.Context(), "unavailable")
		if there.IsUndefined() {
			missing.of.Delete(missing.property) // uncovers what the prototype has
		} else {
			object.Call("defineProperty", missing.of, missing.property, there)
		}
		if key != nil || !errors.Is(err, ErrUnavailable) {
			t.Errorf("without %s: Load = %x, %v, want ErrUnavailable", missing.property, key, err)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if key, err := Load(ctx, "unavailable"); key != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Load with a context that has ended = %x, %v", key, err)
	}
}

// TestBlocked: the database is to be deleted, and another page has it open.
func TestBlocked(t *testing.T) {
	mustLoad(t, "blocked")
	db, _ := record(t, "blocked")
	js.Global().Get("indexedDB").Call("deleteDatabase", "blocked")
	defer func(was time.Duration) { silence = was }(silence)
	silence = 100 * time.Millisecond
	if key, err := Load(t.Context(), "blocked"); key != nil || !errors.Is(err, idbstore.ErrBlocked) || errors.Is(err, ErrUnavailable) {
		t.Errorf("Load = %x, %v, want ErrBlocked, not ErrUnavailable", key, err)
	}
	db.Call("close")
	silence = time.Minute
	mustLoad(t, "blocked")
}

// TestForeignDatabase: a database of something else is left as it is.
func TestForeignDatabase(t *testing.T) {
	s, err := idbstore.Open(t.Context(), "foreign")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if key, err := Load(t.Context(), "foreign"); key != nil || !errors.Is(err, ErrUnavailable) {
		t.Errorf("Load = %x, %v, want ErrUnavailable", key, err)
	}
}

// TestCache: a cache works over a store that is sealed under such a key, as in a page.
func TestCache(t *testing.T) {
	ctx := t.Context()
	nm := netmaptest.Realistic(100, 1)
	openCache := func() *netmapcache.Cache {
		inner, err := idbstore.Open(ctx, "cache")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { inner.Close() })
		s, err := sealed.New(inner, mustLoad(t, "cache-seal"))
		if err != nil {
			t.Fatal(err)
		}
		return netmapcache.NewCache(s)
	}
	if err := openCache().Store(ctx, nm); err != nil {
		t.Fatal(err)
	}
	got, err := openCache().Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := *nm
	want.Cached = true
	if diff := netmaptest.Diff(got, &want); diff != "" {
		t.Errorf("loaded netmap differs:\n%s", diff)
	}

	if err := idbstore.Delete(ctx, "cache-seal"); err != nil {
		t.Fatal(err)
	}
	if _, err := openCache().Load(ctx); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("Load without the key: %v, want ErrCacheNotAvailable", err)
	}
}
