//go:build js

package idbstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"syscall/js"
	"testing"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// TestForcedClose deletes the storage bucket that a store uses, again and again.
func TestForcedClose(t *testing.T) {
	ctx := t.Context()
	factory, remove := bucket(t, "forced-close", 100<<20)
	s := newStore(databaseOf(t))
	defer s.Close()
	s.factory = factory
	if err := s.Store(ctx, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}

	remove()
	if value, err := s.Load(ctx, "a"); !errors.Is(err, store.ErrKeyNotFound) {
		t.Errorf("Load after the data was cleared = %q, %v, want ErrKeyNotFound", value, err)
	}
	remove()
	if err := s.Store(ctx, "a", []byte("2")); err != nil {
		t.Errorf("Store after the data was cleared: %v", err)
	}

	written := make(chan error)
	go func() {
		defer close(written)
		for i := range 400 {
			written <- s.Commit(ctx, store.Change{
				Put:    []store.Entry{{Key: fmt.Sprint("k", i), Value: make([]byte, 20_000)}, {Key: "a", Value: []byte("3")}},
				Remove: []string{fmt.Sprint("k", i-1)},
			})
		}
	}()
	for i := 0; ; i++ {
		err, more := <-written
		if !more {
			break
		}
		if err != nil {
			t.Errorf("commit %d: %v", i, err)
		}
		if i%20 == 0 {
			go remove()
		}
	}
}

// TestLostInCommit tells a store that its connection is lost while it
// waits for a commit, which in fact succeeds.
func TestLostInCommit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change store.Change
	}{
		{"no guard", store.Change{Put: []store.Entry{{Key: "root", Value: []byte("2")}}}},
		{"put at the guard", store.Change{Guard: &store.Guard{Key: "root", Value: []byte("1")}, Put: []store.Entry{{Key: "root", Value: []byte("2")}}}},
		{"remove at the guard", store.Change{Guard: &store.Guard{Key: "root", Value: []byte("1")}, Remove: []string{"root"}}},
		{"guard elsewhere", store.Change{Guard: &store.Guard{Key: "other", Absent: true}, Remove: []string{"root"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, databaseOf(t))
			if err := s.Store(t.Context(), "root", []byte("1")); err != nil {
				t.Fatal(err)
			}
			first := s.conn
			mustRun(t, `
				const commit = IDBTransaction.prototype.commit;
				IDBTransaction.prototype.commit = function() {
					IDBTransaction.prototype.commit = commit;
					this.commit();
					queueMicrotask(() => this.db.dispatchEvent(new Event('close')));
				}`)
			if err := s.Commit(t.Context(), tt.change); err != nil {
				t.Errorf("Commit: %v", err)
			}
			if s.conn == first {
				t.Error("the connection was not replaced")
			}
			want := "2"
			if len(tt.change.Put) == 0 {
				want = ""
			}
			if value, _ := s.Load(t.Context(), "root"); string(value) != want {
				t.Errorf("root = %q, want %q", value, want)
			}
		})
	}
}

// TestSecondAttempt makes an attempt at a commit whose first attempt had an
// unknown outcome.
func TestSecondAttempt(t *testing.T) {
	ch := store.Change{Guard: &store.Guard{Key: "root", Value: []byte("1")}, Put: []store.Entry{{Key: "root", Value: []byte("2")}}}
	for _, tt := range []struct {
		name, found string
		want        error
		after       string
	}{
		{"the first failed", "1", nil, "2"},
		{"the first succeeded", "2", nil, "2"},
		{"another writer came in between", "3", store.ErrConflict, "3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, s := t.Context(), open(t, databaseOf(t))
			if err := s.Store(ctx, "root", []byte(tt.found)); err != nil {
				t.Fatal(err)
			}
			if err := s.use(ctx, func(c *conn) error { return c.commit(ctx, ch, true) }); !errors.Is(err, tt.want) {
				t.Errorf("commit: %v, want %v", err, tt.want)
			}
			if value, err := s.Load(ctx, "root"); err != nil || string(value) != tt.after {
				t.Errorf("root = %q, %v, want %q", value, err, tt.after)
			}
		})
	}
}

// recorder has s keep the last request for a connection, and returns a function
// that dispatches an event at that connection.
func recorder(t *testing.T, s *Store) (dispatch func(event string)) {
	factory := mustRun(t, `const factory = {open(...args) { return factory.request = indexedDB.open(...args) }}; return factory`)
	s.factory = func() (js.Value, error) { return factory, nil }
	return func(event string) {
		factory.Get("request").Get("result").Call("dispatchEvent", js.Global().Get("Event").New(event))
	}
}

// TestReadOn takes a store's connection away in the middle of iterations.
func TestReadOn(t *testing.T) {
	ctx := t.Context()
	s := newStore(databaseOf(t))
	defer s.Close()
	dispatch := recorder(t, s)
	var keys []string
	var ch store.Change
	for i := range 2*pageKeys + 1 {
		keys = append(keys, fmt.Sprintf("k%05d", i))
		ch.Put = append(ch.Put, store.Entry{Key: keys[i], Value: []byte(keys[i])})
	}
	if err := s.Commit(ctx, ch); err != nil {
		t.Fatal(err)
	}
	var listed, loaded []string
	for key, err := range s.List(ctx, "k") {
		if err != nil {
			t.Fatal(err)
		}
		if listed = append(listed, key); len(listed) == 2 {
			dispatch("close")
		}
	}
	for value, err := range s.LoadMany(ctx, keys) {
		if err != nil {
			t.Fatal(err)
		}
		switch loaded = append(loaded, string(value)); len(loaded) {
		case 2:
			dispatch("versionchange")
		case firstBatch + 2:
			dispatch("close")
		}
	}
	if !slices.Equal(listed, keys) || !slices.Equal(loaded, keys) {
		t.Errorf("List gave %d keys, LoadMany %d values, want %d and in order", len(listed), len(loaded), len(keys))
	}
}

// TestReadAhead: when LoadMany yields the first value, it is already reading the second
// batch. That reading may fail, and is abandoned if it isn't needed.
func TestReadAhead(t *testing.T) {
	ctx, s := t.Context(), open(t, databaseOf(t))
	var keys []string
	var ch store.Change
	for i := range 2 * firstBatch {
		keys = append(keys, fmt.Sprintf("k%05d", i))
		ch.Put = append(ch.Put, store.Entry{Key: keys[i], Value: []byte(keys[i])})
	}
	if err := s.Commit(ctx, ch); err != nil {
		t.Fatal(err)
	}
	transactions := mustRun(t, `
		const begin = IDBDatabase.prototype.transaction;
		const transactions = {
			end() { IDBDatabase.prototype.transaction = begin },
			outcome() {
				const last = this.last;
				return new Promise(resolve => last.onabort = last.oncomplete = event => resolve(event.type));
			},
		};
		IDBDatabase.prototype.transaction = function(...args) { return transactions.last = begin.apply(this, args) };
		return transactions`)
	defer transactions.Call("end")

	var loaded []string
	for value, err := range s.LoadMany(ctx, keys) {
		if err != nil {
			t.Fatal(err)
		}
		if loaded = append(loaded, string(value)); len(loaded) == 1 {
			transactions.Get("last").Call("abort") // throws if it is the first batch's
		}
	}
	if !slices.Equal(loaded, keys) {
		t.Errorf("LoadMany gave %q, want %q", loaded, keys)
	}

	for range s.LoadMany(ctx, keys) {
		break
	}
	if outcome := mustRun(t, `return a.outcome()`, transactions).String(); outcome != "abort" {
		t.Errorf("reading ahead ended with %q, want abort", outcome)
	}
}

// TestCanceled ends a context while an operation waits for the browser.
func TestCanceled(t *testing.T) {
	s := open(t, databaseOf(t))
	value := make([]byte, 1<<20)
	if err := s.Store(t.Context(), "a", value); err != nil {
		t.Fatal(err)
	}
	goroutines, live := runtime.NumGoroutine(), browser.LiveFuncs()
	for _, tt := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"Load", func(ctx context.Context) error { _, err := s.Load(ctx, "a"); return err }},
		{"Store", func(ctx context.Context) error { return s.Store(ctx, "a", value) }},
		{"Remove", func(ctx context.Context) error { return s.Remove(ctx, "b") }},
		{"Commit", func(ctx context.Context) error {
			return s.Commit(ctx, store.Change{Guard: &store.Guard{Key: "b", Absent: true}, Put: []store.Entry{{Key: "c"}}})
		}},
		{"List", func(ctx context.Context) (err error) {
			for _, err = range s.List(ctx, "") {
			}
			return err
		}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel() // runs when the operation waits
		if err := tt.do(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", tt.name, err)
		}
	}
	settle(t, "goroutines", runtime.NumGoroutine, goroutines)
	settle(t, "functions", browser.LiveFuncs, live)
	if value, err := s.Load(t.Context(), "a"); err != nil || len(value) != 1<<20 {
		t.Errorf("Load afterwards = %d bytes, %v", len(value), err)
	}
}
