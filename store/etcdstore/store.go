package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/netmapcache/netmapcache/store"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

var (
	_ store.Committer  = (*Store)(nil)
	_ store.BulkLoader = (*Store)(nil)
)

// A Store is a [store.Committer] and a [store.BulkLoader] in etcd. Several programs may use the same prefix. A Store need not be closed.
type Store struct {
	access
	prefix string
}

// New returns a store of the keys that begin with prefix. If prefix doesn't end in a "/", New adds one. Nothing else
// may write there. New makes no request, and the Store doesn't close client.
func New(client *clientv3.Client, prefix string, opts ...Option) *Store {
	return &Store{access{client, newOptions(opts)}, folder(prefix)}
}

// folder returns prefix with a "/" at the end.
func folder(prefix string) string { return strings.TrimSuffix(prefix, "/") + "/" }

// hidden begins the keys under the prefix that are no entries. No valid key begins with it.
const hidden = "\x00"

// isEntry reports whether key can be the key of an entry.
func isEntry(key string) bool { return key != "" && !strings.HasPrefix(key, hidden) }

// List implements part of [store.Store]. It reads the keys in pages of one revision. If that revision is compacted
// meanwhile, it goes on with the newest.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for kv, err := range s.list(ctx, s.prefix+prefix) {
			if err != nil {
				yield("", fmt.Errorf("list keys: %w", err))
				return
			}
			if key := strings.TrimPrefix(string(kv.Key), s.prefix); isEntry(key) && !yield(key, nil) {
				return
			}
		}
	}
}

// Load implements part of [store.Store].
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	for value, err := range s.LoadMany(ctx, []string{key}) {
		return value, err
	}
	panic("unreachable") // LoadMany yields one pair for each key
}

// LoadMany implements [store.BulkLoader]. It reads ahead as many values as a transaction may have operations.
func (s *Store) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		paths := make([]string, len(keys))
		for i, key := range keys {
			if isEntry(key) {
				paths[i] = s.prefix + key
			}
		}
		i := 0
		for kv, err := range s.get(ctx, paths) {
			value, err := valueOf(keys[i], kv, err)
			i++
			if !yield(value, err) || err != nil && !errors.Is(err, store.ErrKeyNotFound) {
				return
			}
		}
	}
}

// valueOf returns the result of loading key, for which kv or err was found.
func valueOf(key string, kv *mvccpb.KeyValue, err error) ([]byte, error) {
	switch {
	case err != nil:
		return nil, fmt.Errorf("load %q: %w", key, err)
	case kv == nil:
		return nil, fmt.Errorf("key %q: %w", key, store.ErrKeyNotFound)
	case len(kv.Value) > store.MaxValueLen:
		return nil, fmt.Errorf("load %q: value of %d bytes: %w", key, len(kv.Value), store.ErrDamaged)
	}
	return kv.Value, nil
}

// Store implements part of [store.Store].
func (s *Store) Store(ctx context.Context, key string, value []byte) error {
	return s.Commit(ctx, store.Change{Put: []store.Entry{{Key: key, Value: value}}})
}

// Remove implements part of [store.Store].
func (s *Store) Remove(ctx context.Context, key string) error {
	return s.Commit(ctx, store.Change{Remove: []string{key}})
}

// Commit implements [store.Committer]. A change of removals alone may need several transactions. If another
// writer breaks the guard between two of them, some keys have been removed. Then the error says so, and is no [store.ErrConflict].
func (s *Store) Commit(ctx context.Context, ch store.Change) error {
	if err := ch.Validate(); err != nil {
		return err
	}
	c := change{guard: ch.Guard, path: s.path, markers: s.prefix + hidden}
	for _, e := range ch.Put {
		c.put = append(c.put, put{key: e.Key, path: s.path(e.Key), value: e.Value})
	}
	for _, key := range ch.Remove {
		if isEntry(key) {
			c.remove = append(c.remove, s.path(key))
		}
	}
	_, err := s.commit(ctx, c)
	return err
}

func (s *Store) path(key string) string { return s.prefix + key }
