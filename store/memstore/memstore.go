// Package memstore implements the contract of package store in memory. It is
// for tests: nothing persists, and hooks can make any operation fail.
package memstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/netmapcache/netmapcache/store"
)

var (
	_ store.Committer  = (*Store)(nil)
	_ store.BulkLoader = (*Store)(nil)
)

// A Store is a [store.Committer] and a [store.BulkLoader] in memory. Its zero value is an empty store.
//
// The Store calls a hook with the name of a method and a key, without holding locks. The key for Commit is the
// key of the last entry to put, if any. A hook may use the store or end the context of the operation. Hooks must not be changed
// while an operation runs.
type Store struct {
	// Before, if not nil, is called before each operation. If it returns an error, the operation
	// fails with that error. For List it is called with
	// the prefix and then with each key, for LoadMany with each key.
	Before func(op, key string) error

	// After, if not nil, is called after Store, Remove and Commit have taken
	// effect. If it returns an error, the operation reports that error.
	After func(op, key string) error

	mu     sync.Mutex
	values map[string][]byte
}

// New returns an empty store.
func New() *Store { return new(Store) }

// before begins every operation.
func (s *Store) before(ctx context.Context, op, key string) error {
	if s.Before != nil {
		if err := s.Before(op, key); err != nil {
			return fmt.Errorf("%s %q: %w", op, key, err)
		}
	}
	return ctx.Err()
}

// after ends every operation that writes.
func (s *Store) after(op, key string) error {
	if s.After != nil {
		if err := s.After(op, key); err != nil {
			return fmt.Errorf("%s %q: %w", op, key, err)
		}
	}
	return nil
}

// List implements part of [store.Store]. It yields the keys that are stored at the
// beginning of the iteration.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.before(ctx, "List", prefix); err != nil {
			yield("", err)
			return
		}
		s.mu.Lock()
		keys := slices.Sorted(maps.Keys(s.values))
		s.mu.Unlock()
		for _, key := range keys {
			if !strings.HasPrefix(key, prefix) {
				continue
			}
			if err := s.before(ctx, "List", key); err != nil {
				yield("", err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

// Load implements part of [store.Store].
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	if err := s.before(ctx, "Load", key); err != nil {
		return nil, err
	}
	return s.load(key)
}

func (s *Store) load(key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[key]
	if !ok {
		return nil, fmt.Errorf("key %q: %w", key, store.ErrKeyNotFound)
	}
	return slices.Clone(value), nil
}

// LoadMany implements [store.BulkLoader]. It does not read ahead.
func (s *Store) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, key := range keys {
			var value []byte
			err := s.before(ctx, "LoadMany", key)
			if err == nil {
				value, err = s.load(key)
			}
			if !yield(value, err) || err != nil && !errors.Is(err, store.ErrKeyNotFound) {
				return
			}
		}
	}
}

// Store implements part of [store.Store].
func (s *Store) Store(ctx context.Context, key string, value []byte) error {
	return s.apply(ctx, "Store", key, store.Change{Put: []store.Entry{{Key: key, Value: value}}})
}

// Remove implements part of [store.Store].
func (s *Store) Remove(ctx context.Context, key string) error {
	return s.apply(ctx, "Remove", key, store.Change{Remove: []string{key}})
}

// Commit implements [store.Committer]. No other operation sees ch half applied.
func (s *Store) Commit(ctx context.Context, ch store.Change) error {
	var key string
	if n := len(ch.Put); n > 0 {
		key = ch.Put[n-1].Key
	}
	return s.apply(ctx, "Commit", key, ch)
}

func (s *Store) apply(ctx context.Context, op, key string, ch store.Change) error {
	if err := ch.Validate(); err != nil {
		return err
	}
	if err := s.before(ctx, op, key); err != nil {
		return err
	}
	if err := s.change(ch); err != nil {
		return err
	}
	return s.after(op, key)
}

func (s *Store) change(ch store.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := ch.Guard; g != nil {
		value, ok := s.values[g.Key]
		var err error
		if !ok {
			err = store.ErrKeyNotFound
		}
		if err := g.Check(value, err); err != nil {
			return err
		}
	}
	for _, e := range ch.Put {
		if s.values == nil {
			s.values = make(map[string][]byte)
		}
		s.values[e.Key] = slices.Clone(e.Value)
	}
	for _, key := range ch.Remove {
		delete(s.values, key)
	}
	return nil
}
