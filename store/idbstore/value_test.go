//go:build js

package idbstore

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/netmapcache/netmapcache/store"
)

// put stores a JavaScript value under a JavaScript key, both given as expressions.
func put(t *testing.T, s *Store, key, value string) {
	t.Helper()
	db := connect(t, s.database, layoutVersion, objectStore)
	defer db.Call("close")
	mustRun(t, `
		const tx = a.transaction(b, 'readwrite');
		tx.objectStore(b).put(`+value+`, `+key+`);
		await new Promise((resolve, reject) => { tx.oncomplete = resolve; tx.onabort = () => reject(tx.error) })`, db, objectStore)
}

func TestForeignValues(t *testing.T) {
	s := open(t, databaseOf(t))
	for _, value := range []string{`'text'`, `42`, `null`, `true`, `{length: 3}`, `[1, 2, 3]`, `new Date()`, `new Map([[0, 65]])`, `new Uint16Array(2)`, `new DataView(new ArrayBuffer(2))`} {
		put(t, s, `'k'`, value)
		if got, err := s.Load(t.Context(), "k"); !errors.Is(err, ErrForeignValue) || !errors.Is(err, store.ErrDamaged) {
			t.Errorf("Load of %s = %q, %v, want ErrForeignValue, an ErrDamaged", value, got, err)
		}
		for got, err := range s.LoadMany(t.Context(), []string{"k", "k"}) {
			if got != nil || !errors.Is(err, ErrForeignValue) {
				t.Errorf("LoadMany of %s = %q, %v, want ErrForeignValue once", value, got, err)
			}
		}
		for _, guard := range []*store.Guard{{Key: "k", Absent: true}, {Key: "k"}} {
			if err := s.Commit(t.Context(), store.Change{Guard: guard}); !errors.Is(err, store.ErrConflict) {
				t.Errorf("Commit with %s at the guard: %v, want ErrConflict", value, err)
			}
		}
	}
	if err := s.Store(t.Context(), "k", []byte("ours")); err != nil {
		t.Errorf("Store over a foreign value: %v", err)
	}
}

func TestBytesOfOthers(t *testing.T) {
	s := open(t, databaseOf(t))
	for value, want := range map[string]string{
		`new Uint8Array([65, 66])`:                       "AB",
		`new Uint8Array([65, 66]).buffer`:                "AB",
		`new Uint8Array([65, 66, 67, 68]).subarray(1,3)`: "BC",
		`new ArrayBuffer(0)`:                             "",
	} {
		put(t, s, `'k'`, value)
		if got, err := s.Load(t.Context(), "k"); err != nil || string(got) != want {
			t.Errorf("Load of %s = %q, %v, want %q", value, got, err, want)
		}
	}
}

func TestForeignKeys(t *testing.T) {
	s := open(t, databaseOf(t))
	for _, key := range []string{`1`, `'a'`, `''`, `'a\n'`, `'a\u00e9'`, `'a\uffff'`, `'a'.repeat(101)`, `'b'`, `'\u007f'`, `['a']`, `new Uint8Array([97])`, `new Date()`} {
		put(t, s, key, `new Uint8Array(1)`)
	}
	for prefix, want := range map[string][]string{"": {"a", "b"}, "a": {"a"}, "a\u00e9": nil, "a\n": nil, "\xff": nil} {
		var got []string
		for key, err := range s.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, key)
		}
		if !slices.Equal(got, want) {
			t.Errorf("List(%q) = %q, want %q", prefix, got, want)
		}
	}
	if value, err := s.Load(t.Context(), "a\u00e9"); !errors.Is(err, store.ErrKeyNotFound) {
		t.Errorf("Load of an invalid key = %q, %v, want ErrKeyNotFound", value, err)
	}
}

// TestLongValues: a value that is longer than stores accept is neither stored nor loaded.
func TestLongValues(t *testing.T) {
	ctx, s := t.Context(), open(t, databaseOf(t))
	if err := s.Store(ctx, "a", make([]byte, store.MaxValueLen+1)); err == nil {
		t.Error("Store of a value that is too long: no error")
	}
	if _, err := s.Load(ctx, "a"); !errors.Is(err, store.ErrKeyNotFound) {
		t.Errorf("Load afterwards: %v, want ErrKeyNotFound", err)
	}
	put(t, s, `'a'`, fmt.Sprintf(`new Uint8Array(%d)`, store.MaxValueLen+1))
	if value, err := s.Load(ctx, "a"); !errors.Is(err, store.ErrDamaged) || errors.Is(err, ErrForeignValue) {
		t.Errorf("Load of a value that is too long = %d bytes, %v, want ErrDamaged, not ErrForeignValue", len(value), err)
	}
}

// TestStoredForm: only the given bytes are stored.
func TestStoredForm(t *testing.T) {
	s := open(t, databaseOf(t))
	if err := s.Store(t.Context(), "k", bytes.Repeat([]byte("x"), 100)[:3]); err != nil {
		t.Fatal(err)
	}
	db := connect(t, s.database, layoutVersion, objectStore)
	form := mustRun(t, `
		const request = a.transaction(b).objectStore(b).get('k');
		await new Promise(resolve => { request.onsuccess = resolve });
		return request.result.constructor.name + ' ' + request.result.buffer.byteLength`, db, objectStore).String()
	if form != "Uint8Array 3" {
		t.Errorf("stored: %s, want Uint8Array 3", form)
	}
}

// TestQuota fills a storage bucket.
func TestQuota(t *testing.T) {
	ctx := t.Context()
	s := newStore(databaseOf(t))
	defer s.Close()
	s.factory, _ = bucket(t, "quota", 300_000)
	big := make([]byte, 200_000)
	rand.Read(big) // what can be compressed takes less space
	if err := s.Store(ctx, "a", big); err != nil {
		t.Fatal(err)
	}
	err := s.Commit(ctx, store.Change{Put: []store.Entry{{Key: "small", Value: []byte("1")}, {Key: "b", Value: big}}, Remove: []string{"a"}})
	var exception idb.DOMException
	if !errors.Is(err, ErrQuota) || !errors.As(err, &exception) {
		t.Errorf("Commit above the quota: %v, want ErrQuota with its DOMException", err)
	}
	var keys []string
	for key := range s.List(ctx, "") {
		keys = append(keys, key)
	}
	if !slices.Equal(keys, []string{"a"}) {
		t.Errorf("afterwards the store holds %q, want what it held before", keys)
	}
	if err := s.Store(ctx, "small", []byte("1")); err != nil {
		t.Errorf("small Store afterwards: %v", err)
	}
}
