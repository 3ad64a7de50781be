//go:build js

package idbstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall/js"
	"testing"
	"time"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// throwing is an IDBFactory that refuses every request.
func throwing(name string) string {
	return `({
		open() { throw new DOMException('refused', '` + name + `') },
		deleteDatabase() { throw new DOMException('refused', '` + name + `') },
	})`
}

func TestUnavailable(t *testing.T) {
	for _, tt := range []struct {
		name      string
		indexedDB string // a JavaScript expression, or "" to throw
		want      error
		exception string
	}{
		{"no IndexedDB", "undefined", ErrUnavailable, ""},
		{"null", "null", ErrUnavailable, ""},
		{"not a factory", "({})", ErrUnavailable, ""},
		{"access denied", "", ErrUnavailable, "SecurityError"},
		{"open denied", throwing("SecurityError"), ErrUnavailable, "SecurityError"},
		{"private window of Firefox", throwing("InvalidStateError"), ErrUnavailable, "InvalidStateError"},
		{"broken", throwing("UnknownError"), ErrUnavailable, "UnknownError"},
		{"no space", throwing("QuotaExceededError"), ErrQuota, "QuotaExceededError"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			get := "return " + tt.indexedDB
			if tt.indexedDB == "" {
				get = "throw new DOMException('refused', 'SecurityError')"
			}
			replaced := mustRun(t, `
				const replaced = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB');
				Object.defineProperty(globalThis, 'indexedDB', {configurable: true, get() {`+get+`}});
				return replaced`)
			defer mustRun(t, `Object.defineProperty(globalThis, 'indexedDB', a)`, replaced)

			_, openErr := Open(t.Context(), databaseOf(t))
			for name, err := range map[string]error{"Open": openErr, "Delete": Delete(t.Context(), databaseOf(t))} {
				if !errors.Is(err, tt.want) {
					t.Errorf("%s: %v, want %v", name, err, tt.want)
				}
				var exception idb.DOMException
				if tt.exception != "" && (!errors.As(err, &exception) || !errors.Is(err, idb.NewDOMException(tt.exception))) {
					t.Errorf("%s: %v, want one that wraps the %s", name, err, tt.exception)
				}
			}
		})
	}
}

func TestOpenTriesAgain(t *testing.T) {
	for _, name := range []string{"AbortError", "UnknownError"} {
		s := newStore(databaseOf(t))
		mustRun(t, `globalThis.refusals = 0`)
		s.factory = evaluate(`({open(...args) {
			if (refusals++ < 2) throw new DOMException('not now', '` + name + `');
			return indexedDB.open(...args);
		}})`)
		if err := s.open(t.Context()); err != nil {
			t.Errorf("after two times %s: %v", name, err)
		}
		s.Close()
	}
}

// TestUpgradeAborted makes the browser abort an upgrade before the store gets to it.
func TestUpgradeAborted(t *testing.T) {
	s := newStore(databaseOf(t))
	defer s.Close()
	s.factory = evaluate(`({open(...args) {
		const request = indexedDB.open(...args);
		request.addEventListener('upgradeneeded', () => request.transaction.abort(), {once: true});
		return request;
	}})`)
	if err := s.open(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("open: %v, want ErrUnavailable", err)
	}
	s.factory = indexedDB
	if err := s.Store(t.Context(), "a", []byte("1")); err != nil {
		t.Errorf("Store afterwards: %v", err)
	}
}

// TestConcurrentUpgrade opens a new database with stores of an older and
// a newer version, many of each at once. The newer stores open it. The older
// stores open it or report that it is newer. Each store works while it has the database.
func TestConcurrentUpgrade(t *testing.T) {
	for round := range torture.Times(5, 200) {
		database := fmt.Sprint(databaseOf(t), round)
		var wg sync.WaitGroup
		for i := range 8 {
			s := newStore(database)
			s.version += uint(i % 2)
			wg.Go(func() {
				defer s.Close()
				key := fmt.Sprint("k", i)
				err := s.Store(t.Context(), key, []byte{1})
				if err != nil && (i%2 == 1 || !errors.Is(err, ErrVersion)) {
					t.Errorf("round %d, store %d of version %d: %v", round, i, s.version, err)
				}
			})
		}
		wg.Wait()
		s := newStore(database)
		s.version++
		for i := 1; i < 8; i += 2 {
			if _, err := s.Load(t.Context(), fmt.Sprint("k", i)); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		s.Close()
		if err := Delete(t.Context(), database); err != nil {
			t.Error(err)
		}
	}
}

func TestUnknownLayout(t *testing.T) {
	for _, tt := range []struct {
		name        string
		version     int
		objectStore string
	}{
		{"newer version", layoutVersion + 1, objectStore},
		{"somebody else's", layoutVersion, "photos"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			connect(t, databaseOf(t), tt.version, tt.objectStore)
			if _, err := Open(t.Context(), databaseOf(t)); !errors.Is(err, ErrVersion) {
				t.Errorf("Open: %v, want ErrVersion", err)
			}
		})
	}
}

func TestUpgrade(t *testing.T) {
	old := open(t, databaseOf(t))
	if err := old.Store(t.Context(), "a", []byte("1")); err != nil {
		t.Fatal(err)
	}

	// The old version lets go of the database, and what it held stays.
	next := newStore(databaseOf(t))
	defer next.Close()
	next.version = layoutVersion + 1
	if value, err := next.Load(t.Context(), "a"); err != nil || string(value) != "1" {
		t.Errorf("Load = %q, %v", value, err)
	}
	if err := old.Store(t.Context(), "a", []byte("2")); !errors.Is(err, ErrVersion) {
		t.Errorf("Store by the old version: %v, want ErrVersion", err)
	}
}

// held has other hold a database, lets try run into that, and checks that once it
// is free nothing stays behind.
func held(t *testing.T, try func(s *Store, other js.Value)) {
	live := browser.LiveFuncs()
	other := connect(t, databaseOf(t), layoutVersion, objectStore)
	s := newStore(databaseOf(t))
	try(s, other)
	other.Call("close")

	// A request that was given up gets the connection now, and must not keep it.
	if err := Delete(t.Context(), databaseOf(t)); err != nil {
		t.Errorf("Delete: %v", err)
	}
	s.Close()
	settle(t, "functions", browser.LiveFuncs, live)
}

func TestBlocked(t *testing.T) {
	t.Run("upgrade", func(t *testing.T) {
		held(t, func(s *Store, _ js.Value) {
			s.version, s.patience, s.silence = layoutVersion+1, time.Millisecond, time.Hour
			if err := s.open(t.Context()); !errors.Is(err, ErrBlocked) {
				t.Errorf("open: %v, want ErrBlocked", err)
			}
		})
	})
	t.Run("upgrade given up", func(t *testing.T) {
		held(t, func(s *Store, _ js.Value) {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			s.version = layoutVersion + 1
			if err := s.open(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("open: %v, want context.Canceled", err)
			}
		})
	})
	t.Run("upgrade, closed meanwhile", func(t *testing.T) {
		held(t, func(s *Store, _ js.Value) {
			s.version = layoutVersion + 1
			go s.Close()
			if err := s.open(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("open: %v, want ErrClosed", err)
			}
		})
	})
	t.Run("upgrade, free in time", func(t *testing.T) {
		held(t, func(s *Store, other js.Value) {
			s.version = layoutVersion + 1
			opened := make(chan error)
			go func() { opened <- s.open(t.Context()) }()
			mustRun(t, `await new Promise(resolve => { a.onversionchange = () => setTimeout(resolve) })`, other)
			select {
			case err := <-opened:
				t.Errorf("open: %v, while the database was held", err)
			default:
			}
			other.Call("close")
			if err := <-opened; err != nil {
				t.Errorf("open: %v", err)
			}
		})
	})
	t.Run("delete", func(t *testing.T) {
		held(t, func(s *Store, _ js.Value) {
			s.patience = time.Millisecond
			if err := s.delete(t.Context()); !errors.Is(err, ErrBlocked) {
				t.Errorf("delete: %v, want ErrBlocked", err)
			}
		})
	})
	t.Run("behind a deletion", func(t *testing.T) {
		held(t, func(s *Store, _ js.Value) {
			js.Global().Get("indexedDB").Call("deleteDatabase", s.database)
			s.doubt, s.silence = time.Millisecond, time.Hour
			if err := s.open(t.Context()); !errors.Is(err, ErrBlocked) {
				t.Errorf("open: %v, want ErrBlocked", err)
			}
			if err := s.Store(t.Context(), "a", nil); !errors.Is(err, ErrBlocked) || errors.Is(err, ErrUnavailable) {
				t.Errorf("Store: %v, want ErrBlocked, not ErrUnavailable", err)
			}
		})
	})
	t.Run("behind a deletion that it was told of", func(t *testing.T) {
		held(t, func(s *Store, _ js.Value) {
			if err := s.open(t.Context()); err != nil {
				t.Fatal(err)
			}
			js.Global().Get("indexedDB").Call("deleteDatabase", s.database)
			settle(t, "connections", func() int {
				if s.conn == nil {
					return 0
				}
				return 1
			}, 0)
			s.patience, s.doubt, s.silence = time.Millisecond, time.Hour, time.Hour
			if err := s.Store(t.Context(), "a", nil); !errors.Is(err, ErrBlocked) {
				t.Errorf("Store: %v, want ErrBlocked", err)
			}
		})
	})
}

// TestSilent has a browser that answers no request.
func TestSilent(t *testing.T) {
	s := newStore(databaseOf(t))
	defer s.Close()
	s.doubt, s.silence = time.Millisecond, 50*time.Millisecond
	s.factory = evaluate(`({
		open() { return Object.setPrototypeOf(new EventTarget(), IDBOpenDBRequest.prototype) },
		deleteDatabase() { return new EventTarget() },
		databases: () => new Promise(() => {}),
	})`)
	if err := s.open(t.Context()); !errors.Is(err, errSilent) {
		t.Errorf("open: %v, want errSilent", err)
	}
	if err := s.delete(t.Context()); !errors.Is(err, errSilent) {
		t.Errorf("delete: %v, want errSilent", err)
	}
	if err := s.Store(t.Context(), "a", nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Store: %v, want ErrUnavailable", err)
	}
}

func TestDelete(t *testing.T) {
	ctx, database := t.Context(), databaseOf(t)
	if err := Delete(ctx, database); err != nil {
		t.Errorf("of a database that isn't there: %v", err)
	}
	s := open(t, database)
	if err := s.Store(ctx, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := Delete(ctx, database); err != nil {
		t.Errorf("of a database in use: %v", err)
	}
	if value, err := s.Load(ctx, "a"); !errors.Is(err, store.ErrKeyNotFound) {
		t.Errorf("Load = %q, %v, want ErrKeyNotFound", value, err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := Delete(canceled, database); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestClosed(t *testing.T) {
	s := open(t, databaseOf(t))
	s.Close()
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := s.Store(t.Context(), "a", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Store: %v, want ErrClosed", err)
	}
	if _, err := s.Load(t.Context(), "a"); !errors.Is(err, ErrClosed) {
		t.Errorf("Load: %v, want ErrClosed", err)
	}
	for _, err := range s.List(t.Context(), "") {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("List: %v, want ErrClosed", err)
		}
	}
}
