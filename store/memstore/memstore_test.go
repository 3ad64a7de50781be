package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/netmapcache/netmapcache/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return memstore.New() }, storetest.Options{})
}

var errTest = errors.New("test")

// operations does one of each, on a store that holds "a", and returns its errors.
func operations(ctx context.Context, s *memstore.Store) (errs []error) {
	note := func(err error) { errs = append(errs, err) }
	for _, err := range s.List(ctx, "") {
		note(err)
	}
	_, err := s.Load(ctx, "a")
	note(err)
	for _, err := range s.LoadMany(ctx, []string{"a"}) {
		note(err)
	}
	note(s.Store(ctx, "b", nil))
	note(s.Commit(ctx, store.Change{Put: []store.Entry{{Key: "c"}, {Key: "d"}}, Remove: []string{"a"}}))
	note(s.Remove(ctx, "b"))
	return errs
}

func TestHooks(t *testing.T) {
	open := func() *memstore.Store {
		s := memstore.New()
		if err := s.Store(t.Context(), "a", []byte("1")); err != nil {
			t.Fatal(err)
		}
		return s
	}
	keys := func(s *memstore.Store) (keys []string) {
		for key := range s.List(t.Context(), "") {
			keys = append(keys, key)
		}
		return keys
	}

	t.Run("calls", func(t *testing.T) {
		s := open()
		var calls []string
		s.Before = func(op, key string) error { calls = append(calls, "before "+op+" "+key); return nil }
		s.After = func(op, key string) error { calls = append(calls, "after "+op+" "+key); return nil }
		operations(t.Context(), s)
		want := []string{
			"before List ", "before List a", "before Load a", "before LoadMany a",
			"before Store b", "after Store b", "before Commit d", "after Commit d", "before Remove b", "after Remove b",
		}
		if !slices.Equal(calls, want) {
			t.Errorf("calls = %q\nwant %q", calls, want)
		}
	})

	for op, want := range map[string][]string{"List": {"c", "d"}, "Store": {"c", "d"}, "Commit": {"a"}, "Remove": {"b", "c", "d"}} {
		t.Run("before "+op, func(t *testing.T) {
			s := open()
			s.Before = func(o, key string) error {
				if o == op {
					return errTest
				}
				return nil
			}
			if errs := operations(t.Context(), s); !slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, errTest) }) {
				t.Errorf("errors = %v", errs)
			}
			s.Before = nil
			if got := keys(s); !slices.Equal(got, want) {
				t.Errorf("keys = %q, want %q", got, want)
			}
		})
	}

	t.Run("after", func(t *testing.T) {
		s := open()
		s.After = func(op, key string) error { return errTest }
		failed := 0
		for _, err := range operations(t.Context(), s) {
			if errors.Is(err, errTest) {
				failed++
			}
		}
		if got := fmt.Sprint(failed, keys(s)); got != "3 [c d]" {
			t.Errorf("failures and keys = %s, want 3 failures and all in effect", got)
		}
	})

	t.Run("context ended by a hook", func(t *testing.T) {
		s := open()
		ctx, cancel := context.WithCancel(t.Context())
		s.Before = func(op, key string) error { cancel(); return nil }
		if err := s.Store(ctx, "b", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Store: %v, want context.Canceled", err)
		}
		s.Before = nil
		if got := keys(s); !slices.Equal(got, []string{"a"}) {
			t.Errorf("keys = %q, want a alone", got)
		}
	})
}
