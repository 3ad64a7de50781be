package storetest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// testIteration: List of many keys, ended early, and with other calls inside.
func (r *runner) testIteration(t *testing.T) {
	t.Run("many keys", func(t *testing.T) {
		s := r.begin(t)
		keys := r.fill(t, s, "many-")
		r.fill(t, s, "other-")
		for _, prefix := range []string{"many-", "many-00", "many-001", keys[7], "many-x"} {
			want := slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
				return len(key) < len(prefix) || key[:len(prefix)] != prefix
			})
			if err := list(prefix, want...)(t.Context(), s); err != nil {
				t.Error(err)
			}
		}
		if all, err := listKeys(t.Context(), s, ""); err != nil || len(all) != 2*len(keys) || !slices.IsSorted(all) {
			t.Errorf("List of all = %d keys, %v, want %d in order", len(all), err, 2*len(keys))
		}
	})

	t.Run("early break", func(t *testing.T) {
		s := r.begin(t)
		keys := r.fill(t, s, "k")
		for n := range 20 {
			seen := 0
			for key, err := range s.List(t.Context(), "k") {
				if err != nil || key != keys[seen] {
					t.Fatalf("key %d = %q, %v, want %q", seen, key, err, keys[seen])
				}
				if seen++; seen > n {
					break
				}
			}
		}
		if err := list("k", keys...)(t.Context(), s); err != nil {
			t.Error(err)
		}
	})

	t.Run("pulled and stopped", func(t *testing.T) {
		s := r.begin(t)
		keys := r.fill(t, s, "k")
		next, stop := iter.Pull2(s.List(t.Context(), "k"))
		for _, want := range keys[:3] {
			if key, err, ok := next(); key != want || err != nil || !ok {
				t.Errorf("next = %q, %v, %v, want %q", key, err, ok, want)
			}
		}
		stop()
	})

	t.Run("nested", func(t *testing.T) {
		s := r.begin(t)
		ctx := t.Context()
		want := []string{"a", "b", "c", "d"}
		for _, key := range want {
			if err := s.Store(ctx, key, []byte(key)); err != nil {
				t.Fatal(err)
			}
		}
		var outer []string
		for key, err := range s.List(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			outer = append(outer, key)
			if err := list("", want...)(ctx, s); err != nil {
				t.Errorf("inside of %q: %v", key, err)
			}
			if err := get(key, key)(ctx, s); err != nil {
				t.Errorf("inside of %q: %v", key, err)
			}
			for value, err := range store.LoadMany(ctx, s, []string{key}) {
				if err != nil || string(value) != key {
					t.Errorf("inside of %q: LoadMany = %q, %v", key, value, err)
				}
			}
		}
		if !slices.Equal(outer, want) {
			t.Errorf("outer List = %q, want %q", outer, want)
		}
	})

	for _, write := range []struct {
		name string
		do   func(ctx context.Context, s store.Store, key string) error
	}{
		{"replace", func(ctx context.Context, s store.Store, key string) error {
			return s.Store(ctx, key, []byte("new"))
		}},
		{"store others", func(ctx context.Context, s store.Store, key string) error {
			if err := s.Store(ctx, "before-"+key, nil); err != nil {
				return err
			}
			return s.Store(ctx, "x-"+key, nil)
		}},
		{"remove", func(ctx context.Context, s store.Store, key string) error {
			return s.Remove(ctx, key)
		}},
		{"commit", func(ctx context.Context, s store.Store, key string) error {
			return store.Commit(ctx, s, store.Change{
				Guard:  guard(key, "old"),
				Put:    []store.Entry{entry("x-"+key, ""), entry("root", key)},
				Remove: []string{key},
			})
		}},
	} {
		t.Run("write inside: "+write.name, func(t *testing.T) {
			s := r.begin(t)
			want := r.fill(t, s, "k")
			var got []string
			for key, err := range s.List(t.Context(), "k") {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, key)
				if err := write.do(t.Context(), s, key); err != nil {
					t.Fatalf("inside of %q: %v", key, err)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("List = %q, want %q", got, want)
			}
		})
	}

	t.Run("keys ahead vanish", func(t *testing.T) {
		s := r.begin(t)
		keys := r.fill(t, s, "k")
		last := ""
		for key, err := range s.List(t.Context(), "k") {
			if err != nil {
				t.Fatal(err)
			}
			if key <= last {
				t.Fatalf("List yields %q after %q", key, last)
			}
			if last == "" {
				if err := store.Commit(t.Context(), s, store.Change{Remove: keys[1:]}); err != nil {
					t.Fatal(err)
				}
			}
			last = key
		}
	})
}

// fill stores Options.Keys small values, "old", and returns their keys in order.
func (r *runner) fill(t *testing.T, s store.Store, prefix string) []string {
	t.Helper()
	var ch store.Change
	var keys []string
	for i := range r.opts.Keys {
		key := fmt.Sprintf("%s%04d", prefix, i)
		keys = append(keys, key)
		ch.Put = append(ch.Put, entry(key, "old"))
	}
	if err := store.Commit(t.Context(), whole(s), ch); err != nil {
		t.Fatal(err)
	}
	return keys
}
