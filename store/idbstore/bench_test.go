//go:build js

package idbstore

import (
	"fmt"
	"math/rand/v2"
	"syscall/js"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// The columns of 10,000 peers: about 320 of 20 kB.
const (
	columns    = 320
	columnSize = 20_000
)

// fill opens a store of that many columns and returns their keys and the change
// that wrote them.
func fill(b *testing.B) (*Store, []string, store.Change) {
	s, err := Open(b.Context(), "benchmark")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	var keys []string
	var ch store.Change
	random := rand.NewChaCha8([32]byte{})
	for i := range columns {
		keys = append(keys, fmt.Sprintf("peers-%03d.%032x", i, i))
		ch.Put = append(ch.Put, store.Entry{Key: keys[i], Value: make([]byte, columnSize)})
		random.Read(ch.Put[i].Value)
	}
	if err := s.Commit(b.Context(), ch); err != nil {
		b.Fatal(err)
	}
	return s, keys, ch
}

// javascript measures the same in JavaScript. To body, db is the open database, a
// the keys, and b the size of a column.
func javascript(b *testing.B, body string, keys []string) {
	list := js.Global().Get("Array").New()
	for _, key := range keys {
		list.Call("push", key)
	}
	for b.Loop() {
		if _, err := run(`
			const request = indexedDB.open('benchmark');
			const db = await new Promise(resolve => { request.onsuccess = () => resolve(request.result) });
			`+body+`
			db.close()`, list, columnSize); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkList(b *testing.B) {
	s, keys, _ := fill(b)
	b.Run("go", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for _, err := range s.List(b.Context(), "peers-") {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != columns {
				b.Fatal(n)
			}
		}
	})
	b.Run("javascript cursor", func(b *testing.B) {
		javascript(b, `
			const keys = [];
			const cursor = db.transaction('entries').objectStore('entries').openKeyCursor(IDBKeyRange.bound('peers-', 'peers.', false, true));
			await new Promise(resolve => { cursor.onsuccess = () => {
				if (!cursor.result) return resolve();
				keys.push(cursor.result.key);
				cursor.result.continue();
			}});`, keys)
	})
	b.Run("javascript getAllKeys", func(b *testing.B) {
		javascript(b, `
			const all = db.transaction('entries').objectStore('entries').getAllKeys(IDBKeyRange.bound('peers-', 'peers.', false, true));
			await new Promise(resolve => { all.onsuccess = resolve });`, keys)
	})
}

func BenchmarkLoadMany(b *testing.B) {
	s, keys, _ := fill(b)
	b.Run("go", func(b *testing.B) {
		b.SetBytes(columns * columnSize)
		for b.Loop() {
			for value, err := range s.LoadMany(b.Context(), keys) {
				if err != nil || len(value) != columnSize {
					b.Fatal(len(value), err)
				}
			}
		}
	})
	b.Run("javascript get", func(b *testing.B) {
		b.SetBytes(columns * columnSize)
		javascript(b, `
			const entries = db.transaction('entries').objectStore('entries');
			const requests = a.map(key => entries.get(key));
			await new Promise(resolve => { requests.at(-1).onsuccess = resolve });
			for (const request of requests) request.result; // which decodes it`, keys)
	})
	b.Run("javascript getAll", func(b *testing.B) {
		b.SetBytes(columns * columnSize)
		javascript(b, `
			const all = db.transaction('entries').objectStore('entries').getAll(IDBKeyRange.bound('peers-', 'peers.', false, true));
			await new Promise(resolve => { all.onsuccess = resolve });
			all.result;`, keys)
	})
}

func BenchmarkCommit(b *testing.B) {
	s, keys, ch := fill(b)
	b.Run("go", func(b *testing.B) {
		b.SetBytes(columns * columnSize)
		for b.Loop() {
			if err := s.Commit(b.Context(), ch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("javascript", func(b *testing.B) {
		b.SetBytes(columns * columnSize)
		javascript(b, `
			const tx = db.transaction('entries', 'readwrite', {durability: 'strict'});
			const entries = tx.objectStore('entries');
			for (const key of a) entries.put(crypto.getRandomValues(new Uint8Array(b)), key);
			tx.commit();
			await new Promise((resolve, reject) => { tx.oncomplete = resolve; tx.onabort = reject });`, keys)
	})
}

// BenchmarkDelta commits what a change of one peer takes: a column, a root of 8 kB
// that replaces the last, and the removal of the column's predecessor.
func BenchmarkDelta(b *testing.B) {
	s, keys, ch := fill(b)
	b.Run("go", func(b *testing.B) {
		if err := s.Store(b.Context(), "self", make([]byte, 8000)); err != nil {
			b.Fatal(err)
		}
		root := make([]byte, 8000)
		for i := 0; b.Loop(); i++ {
			next := fmt.Appendf(nil, "%8000d", i)
			if err := s.Commit(b.Context(), store.Change{
				Guard:  &store.Guard{Key: "self", Value: root},
				Put:    []store.Entry{{Key: fmt.Sprint("delta-", i), Value: ch.Put[0].Value}, {Key: "self", Value: next}},
				Remove: []string{fmt.Sprint("delta-", i-1)},
			}); err != nil {
				b.Fatal(err)
			}
			root = next
		}
	})
	b.Run("javascript", func(b *testing.B) {
		javascript(b, `
			const tx = db.transaction('entries', 'readwrite', {durability: 'strict'});
			const entries = tx.objectStore('entries');
			await new Promise(resolve => { entries.get('self').onsuccess = resolve });
			entries.put(crypto.getRandomValues(new Uint8Array(b)), 'delta');
			entries.put(crypto.getRandomValues(new Uint8Array(8000)), 'self');
			entries.delete('delta-0');
			tx.commit();
			await new Promise((resolve, reject) => { tx.oncomplete = resolve; tx.onabort = reject });`, keys)
	})
}
