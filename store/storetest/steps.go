package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// A step does one thing with a store, and reports how the outcome differs from
// what the contract demands.
type step func(ctx context.Context, s store.Store) error

// A script is a list of steps on an empty store.
type script struct {
	name  string
	steps []step
}

func (r *runner) scripts(t *testing.T, scripts []script) {
	for _, sc := range scripts {
		t.Run(sc.name, func(t *testing.T) {
			s := r.begin(t)
			for i, do := range sc.steps {
				if err := do(t.Context(), s); err != nil {
					t.Fatalf("step %d: %v", i+1, err)
				}
			}
		})
	}
}

// put stores value under key.
func put(key, value string) step {
	return func(ctx context.Context, s store.Store) error {
		if err := s.Store(ctx, key, []byte(value)); err != nil {
			return fmt.Errorf("Store(%q): %w", key, err)
		}
		return nil
	}
}

// remove removes keys.
func remove(keys ...string) step {
	return func(ctx context.Context, s store.Store) error {
		for _, key := range keys {
			if err := s.Remove(ctx, key); err != nil {
				return fmt.Errorf("Remove(%q): %w", key, err)
			}
		}
		return nil
	}
}

// get checks that key holds want.
func get(key, want string) step {
	return func(ctx context.Context, s store.Store) error {
		got, err := s.Load(ctx, key)
		if err != nil {
			return fmt.Errorf("Load(%q): %w", key, err)
		}
		if !bytes.Equal(got, []byte(want)) {
			return fmt.Errorf("Load(%q) = %s, want %s", key, brief(got), brief([]byte(want)))
		}
		return nil
	}
}

// absent checks that keys hold nothing.
func absent(keys ...string) step {
	return func(ctx context.Context, s store.Store) error {
		for _, key := range keys {
			if got, err := s.Load(ctx, key); !errors.Is(err, store.ErrKeyNotFound) {
				return fmt.Errorf("Load(%q) = %s, %v, want ErrKeyNotFound", key, brief(got), err)
			}
		}
		return nil
	}
}

// list checks that want are the keys that begin with prefix.
func list(prefix string, want ...string) step {
	return func(ctx context.Context, s store.Store) error {
		got, err := listKeys(ctx, s, prefix)
		if err != nil {
			return fmt.Errorf("List(%q): %w", prefix, err)
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("List(%q) = %q, want %q", prefix, got, want)
		}
		return nil
	}
}

// commit checks that ch can be applied.
func commit(ch store.Change) step {
	return func(ctx context.Context, s store.Store) error {
		if err := store.Commit(ctx, s, ch); err != nil {
			return fmt.Errorf("Commit: %w", err)
		}
		return nil
	}
}

// refuse checks that ch is refused and changes nothing. The error must be want, unless
// that is nil.
func refuse(ch store.Change, want error) step {
	return func(ctx context.Context, s store.Store) error {
		before, err := contents(ctx, s)
		if err != nil {
			return err
		}
		if err := store.Commit(ctx, s, ch); err == nil {
			return errors.New("Commit succeeded")
		} else if want != nil && !errors.Is(err, want) {
			return fmt.Errorf("Commit: %w, want %w", err, want)
		}
		return unchanged(ctx, s, before)
	}
}

func entry(key, value string) store.Entry {
	return store.Entry{Key: key, Value: []byte(value)}
}

// guard is the condition that key holds value.
func guard(key, value string) *store.Guard {
	return &store.Guard{Key: key, Value: []byte(value)}
}

// guardAbsent is the condition that key holds nothing.
func guardAbsent(key string) *store.Guard {
	return &store.Guard{Key: key, Absent: true}
}

// listKeys returns the keys that begin with prefix. It also reports an error if List yields an error with
// a key, or a pair after an error.
func listKeys(ctx context.Context, s store.Store, prefix string) ([]string, error) {
	var keys []string
	var failed error
	for key, err := range s.List(ctx, prefix) {
		if failed != nil {
			return nil, fmt.Errorf("List went on to %q after %w", key, failed)
		}
		if err != nil {
			if key != "" {
				return nil, fmt.Errorf("List yielded both %q and %w", key, err)
			}
			failed = err
			continue
		}
		keys = append(keys, key)
	}
	return keys, failed
}

// contents returns all that s holds.
func contents(ctx context.Context, s store.Store) (map[string]string, error) {
	keys, err := listKeys(ctx, s, "")
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	for _, key := range keys {
		value, err := s.Load(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("Load(%q): %w", key, err)
		}
		all[key] = string(value)
	}
	return all, nil
}

// unchanged checks that s holds what it held before.
func unchanged(ctx context.Context, s store.Store, before map[string]string) error {
	after, err := contents(ctx, s)
	if err != nil {
		return err
	}
	if !maps.Equal(before, after) {
		return fmt.Errorf("the store changed from keys %q to keys %q, or a value did",
			slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	}
	return nil
}

// brief returns a short text for a value that may be long.
func brief(value []byte) string {
	if len(value) <= 40 {
		return fmt.Sprintf("%q", value)
	}
	return fmt.Sprintf("%q... (%d bytes)", value[:40], len(value))
}
