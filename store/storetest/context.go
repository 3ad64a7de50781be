package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/store"
)

// ended returns contexts that have ended, each for another reason.
func ended(t *testing.T) map[string]context.Context {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	t.Cleanup(cancel)
	return map[string]context.Context{"canceled": canceled, "expired": expired}
}

// testContext: a method that is called with an ended context reports that and does
// nothing. An iteration ends with the error.
func (r *runner) testContext(t *testing.T) {
	for _, call := range []struct {
		name string
		do   func(ctx context.Context, s store.Store) error
	}{
		{"List", func(ctx context.Context, s store.Store) error {
			keys, err := listKeys(ctx, s, "")
			if len(keys) > 0 {
				return errors.New("List yielded a key")
			}
			return err
		}},
		{"Load", func(ctx context.Context, s store.Store) error {
			_, err := s.Load(ctx, "a")
			return err
		}},
		{"Load of an absent key", func(ctx context.Context, s store.Store) error {
			_, err := s.Load(ctx, "x")
			return err
		}},
		{"Store", func(ctx context.Context, s store.Store) error {
			return s.Store(ctx, "a", []byte("2"))
		}},
		{"Store of a new key", func(ctx context.Context, s store.Store) error {
			return s.Store(ctx, "x", []byte("2"))
		}},
		{"Remove", func(ctx context.Context, s store.Store) error {
			return s.Remove(ctx, "a")
		}},
		{"Remove of an absent key", func(ctx context.Context, s store.Store) error {
			return s.Remove(ctx, "x")
		}},
	} {
		t.Run("ended before "+call.name, func(t *testing.T) { r.refuseEnded(t, call.do) })
	}

	t.Run("ended within List", func(t *testing.T) {
		s := r.begin(t)
		r.fill(t, s, "k")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		pairs := 0
		for key, err := range s.List(ctx, "k") {
			switch pairs++; {
			case pairs == 1 && err == nil:
				cancel()
			case pairs == 2 && key == "" && errors.Is(err, context.Canceled):
			default:
				t.Fatalf("pair %d = %q, %v", pairs, key, err)
			}
		}
		if pairs != 2 {
			t.Errorf("%d pairs, want a key and an error", pairs)
		}
	})
}

// testCommitContext does the same for Commit.
func (r *runner) testCommitContext(t *testing.T) {
	r.refuseEnded(t, func(ctx context.Context, s store.Store) error {
		return store.Commit(ctx, s, store.Change{Put: []store.Entry{entry("x", "2"), entry("a", "2")}, Remove: []string{"b"}})
	})
	r.refuseEnded(t, func(ctx context.Context, s store.Store) error {
		return store.Commit(ctx, s, store.Change{Guard: guard("a", "1"), Put: []store.Entry{entry("a", "2")}})
	})
	r.refuseEnded(t, func(ctx context.Context, s store.Store) error {
		return store.Commit(ctx, s, store.Change{Remove: []string{"b"}})
	})
}

// refuseEnded checks that do reports that its context has ended, and changes
// nothing.
func (r *runner) refuseEnded(t *testing.T, do func(ctx context.Context, s store.Store) error) {
	t.Helper()
	s := r.begin(t)
	for _, key := range []string{"a", "b"} {
		if err := s.Store(t.Context(), key, []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	before, err := contents(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for name, ctx := range ended(t) {
		if err := do(ctx, s); !errors.Is(err, ctx.Err()) {
			t.Errorf("context %s: error %v", name, err)
		}
		if err := unchanged(t.Context(), s, before); err != nil {
			t.Errorf("context %s: %v", name, err)
		}
	}
}
