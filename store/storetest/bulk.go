package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// testLoadMany: many values at once, in the order asked for.
func (r *runner) testLoadMany(t *testing.T) {
	// expect checks that LoadMany of keys yields want, in which "-" stands for an absent key.
	expect := func(ctx context.Context, s store.Store, keys []string, want []string) error {
		var got []string
		for value, err := range store.LoadMany(ctx, s, keys) {
			switch {
			case err == nil:
				got = append(got, string(value))
			case value != nil:
				return fmt.Errorf("LoadMany yielded both %q and %w", value, err)
			case errors.Is(err, store.ErrKeyNotFound):
				got = append(got, "-")
			default:
				return fmt.Errorf("LoadMany: %w", err)
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("LoadMany = %.20q (%d), want %.20q (%d)", got, len(got), want, len(want))
		}
		return nil
	}

	for _, tt := range []struct {
		name       string
		keys, want []string
	}{
		{"none", nil, nil},
		{"one", []string{"b"}, []string{"2"}},
		{"as asked for", []string{"c", "a", "b"}, []string{"3", "1", "2"}},
		{"empty value", []string{"empty", "a"}, []string{"", "1"}},
		{"duplicates", []string{"a", "b", "a", "a"}, []string{"1", "2", "1", "1"}},
		{"absent first", []string{"x", "a"}, []string{"-", "1"}},
		{"absent in the middle", []string{"a", "x", "b", "x", "y", "c"}, []string{"1", "-", "2", "-", "-", "3"}},
		{"absent last", []string{"a", "x"}, []string{"1", "-"}},
		{"all absent", []string{"x", "y"}, []string{"-", "-"}},
		{"not valid", []string{"a", "", "\x00", longKey + "k", "é", "b"}, []string{"1", "-", "-", "-", "-", "2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, ctx := r.begin(t), t.Context()
			if err := store.Commit(ctx, s, store.Change{Put: []store.Entry{entry("a", "1"), entry("b", "2"), entry("c", "3"), entry("empty", "")}}); err != nil {
				t.Fatal(err)
			}
			if err := expect(ctx, s, tt.keys, tt.want); err != nil {
				t.Error(err)
			}
		})
	}

	t.Run("hundreds", func(t *testing.T) {
		s, ctx := r.begin(t), t.Context()
		var ch store.Change
		var keys, want []string
		for i := range r.opts.Keys {
			key, value := fmt.Sprintf("k%04d", i), fmt.Sprintf("%d:%s", i, randomBytes(i*53%20_000))
			ch.Put = append(ch.Put, entry(key, value))
			keys, want = append(keys, key), append(want, value)
			if i%50 == 0 {
				keys, want = append(keys, fmt.Sprintf("absent%d", i)), append(want, "-")
			}
		}
		if err := store.Commit(ctx, whole(s), ch); err != nil {
			t.Fatal(err)
		}
		if err := expect(ctx, s, keys, want); err != nil {
			t.Error(err)
		}
		slices.Reverse(keys)
		slices.Reverse(want)
		if err := expect(ctx, s, keys, want); err != nil {
			t.Errorf("reversed: %v", err)
		}
	})

	t.Run("early break", func(t *testing.T) {
		s, ctx := r.begin(t), t.Context()
		keys := r.fill(t, s, "k")
		for n := range 20 {
			seen := 0
			for value, err := range store.LoadMany(ctx, s, keys) {
				if err != nil || string(value) != "old" {
					t.Fatalf("LoadMany = %q, %v", value, err)
				}
				if seen++; seen > n {
					break
				}
			}
		}
	})

	t.Run("nested", func(t *testing.T) {
		s, ctx := r.begin(t), t.Context()
		keys := r.fill(t, s, "k")[:5]
		i := 0
		for value, err := range store.LoadMany(ctx, s, keys) {
			if err != nil || string(value) != "old" {
				t.Fatalf("LoadMany = %q, %v", value, err)
			}
			key := keys[i]
			if err := expect(ctx, s, []string{key, "x"}, []string{"old", "-"}); err != nil {
				t.Errorf("inside of %q: %v", key, err)
			}
			if err := list(key, key)(ctx, s); err != nil {
				t.Errorf("inside of %q: %v", key, err)
			}
			if err := put("x"+key, "new")(ctx, s); err != nil {
				t.Errorf("inside of %q: %v", key, err)
			}
			if err := commit(store.Change{Guard: guard("x"+key, "new"), Put: []store.Entry{entry("root", key)}, Remove: []string{key}})(ctx, s); err != nil {
				t.Errorf("inside of %q: %v", key, err)
			}
			i++
		}
		if i != len(keys) {
			t.Errorf("%d values, want %d", i, len(keys))
		}
	})

	t.Run("context ended before", func(t *testing.T) {
		r.refuseEnded(t, func(ctx context.Context, s store.Store) error {
			return expect(ctx, s, []string{"a", "b"}, nil)
		})
	})

	t.Run("context ended within", func(t *testing.T) {
		s := r.begin(t)
		keys := r.fill(t, s, "k")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		pairs := 0
		for value, err := range store.LoadMany(ctx, s, keys) {
			switch pairs++; {
			case pairs == 1 && err == nil:
				cancel()
			case pairs == 2 && value == nil && errors.Is(err, context.Canceled):
			default:
				t.Fatalf("pair %d = %q, %v", pairs, value, err)
			}
		}
		if pairs != 2 {
			t.Errorf("%d pairs, want a value and an error", pairs)
		}
	})
}
