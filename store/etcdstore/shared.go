package etcdstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/netmapcache/netmapcache/store"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/semaphore"
)

var (
	_ store.Committer  = (*SharedStore)(nil)
	_ store.BulkLoader = (*SharedStore)(nil)
)

// SharedStore is the store of one node of a fleet, whose nodes share the values that are equal. It is made for a
// [github.com/netmapcache/netmapcache/netmapcache.Cache], one at a time.
//
// A key that ends in a dot and 32 lower-case hexadecimal digits is a column: its value is shared, and must have these digits as its
// SHA-256, truncated to 128 bits. Every other key is the node's own, and for that the contract of package store holds. Of
// columns a node lists those that it has put or loaded, and not removed. They are kept as long as
// the last node that does so is alive, and up to the life of a lease longer.
//
// # Leases
//
// All that is stored is attached to leases, which the nodes share, so what nobody uses goes by itself, and
// nobody ever has to look through the roots of all. A root, the key that a change puts last, is attached to the
// lease of all columns that the node then has, so they go in the same moment: no root that is there misses a column. When the
// newest lease is older than half its life, the next node to see that makes another, and the nodes
// attach to it what they still have, without its bytes. What one has attached the others needn't.
//
// A node does so with each Commit that puts something, and with [SharedStore.Renew], which it has to call at least every quarter of the life. One that
// was stopped for longer than the life finds nothing stored. If somebody revokes a lease, nodes can find their
// snapshot incomplete. Both store it anew with the next Store of a whole netmap.
//
// # Trust
//
// Any node of the fleet can remove or replace what the others have. As digests are checked, that is noticed.
type SharedStore struct {
	access
	own, columns, leases string // prefixes
	life                 time.Duration
	clock                func() time.Time

	turn  *semaphore.Weighted // taken by who commits or renews; guards what follows
	now   lease               // the newest, as far as is known
	since time.Time           // when that was looked up; zero to look it up

	mu     sync.Mutex
	held   map[string]int64 // the columns that this node has, and a revision at which each was attached to a lease; 0 if it is gone
	bad    map[string]bool  // the columns that were found damaged
	loaded map[string]int64 // the own keys that were loaded, and their revisions
	named  map[string]int64 // the own keys of which all columns that their values can name are held, and their revisions
}

// Shared returns the store of the node of that name in the fleet under prefix, that is, of the nodes of one tailnet. The name must be
// unlike those of the other nodes, and the same when the node is started again. A lease lives for life, which is the same for
// all nodes and is counted in seconds.
func Shared(client *clientv3.Client, prefix, node string, life time.Duration, opts ...Option) (*SharedStore, error) {
	if node == "" || strings.Contains(node, "/") {
		return nil, fmt.Errorf("etcdstore: %q can't be the name of a node", node)
	}
	if life < time.Second {
		return nil, fmt.Errorf("etcdstore: a lease can't live for %v", life)
	}
	prefix = folder(prefix)
	s := &SharedStore{
		access:  access{client, newOptions(opts)},
		own:     prefix + "nodes/" + node + "/",
		columns: prefix + "columns/",
		leases:  prefix + "leases/",
		life:    life,
		clock:   time.Now,
		turn:    semaphore.NewWeighted(1),
		held:    make(map[string]int64),
		bad:     make(map[string]bool),
		loaded:  make(map[string]int64),
		named:   make(map[string]int64),
	}
	return s, nil
}

const digestLen = 32 // hexadecimal digits

// isColumn reports whether key is that of a column.
func isColumn(key string) bool {
	n := len(key) - digestLen
	return n > 0 && key[n-1] == '.' && strings.Trim(key[n:], "0123456789abcdef") == ""
}

// hasDigest reports whether value is that of the column key.
func hasDigest(key string, value []byte) bool {
	sum := sha256.Sum256(value)
	return key[len(key)-digestLen:] == hex.EncodeToString(sum[:digestLen/2])
}

func (s *SharedStore) path(key string) string {
	switch {
	case !isEntry(key):
		return ""
	case isColumn(key):
		return s.columns + key
	}
	return s.own + key
}

// begin waits for the caller's turn, which ends when it calls end.
func (s *SharedStore) begin(ctx context.Context) (end func(), err error) {
	if err := s.turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { s.turn.Release(1) }, nil
}

// List implements part of [store.Store].
func (s *SharedStore) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		columns, err := s.heldColumns(ctx, prefix)
		if err != nil {
			yield("", fmt.Errorf("list columns: %w", err))
			return
		}
		for kv, err := range s.list(ctx, s.own+prefix) {
			if err != nil {
				yield("", fmt.Errorf("list keys: %w", err))
				return
			}
			key := strings.TrimPrefix(string(kv.Key), s.own)
			for len(columns) > 0 && columns[0] < key {
				if !yield(columns[0], nil) {
					return
				}
				columns = columns[1:]
			}
			if isEntry(key) && !yield(key, nil) {
				return
			}
		}
		for _, key := range columns {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

// heldColumns returns the columns with prefix that this node has and that are there.
func (s *SharedStore) heldColumns(ctx context.Context, prefix string) ([]string, error) {
	s.mu.Lock()
	var keys []string
	for key := range s.held {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	s.mu.Unlock()
	slices.Sort(keys)
	found, err := s.look(ctx, keys)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(keys, func(key string) bool {
		s.held[key] = found[key]
		return found[key] == 0 || s.bad[key]
	}), nil
}

// look returns the revisions of the columns that are there.
func (s *SharedStore) look(ctx context.Context, keys []string) (map[string]int64, error) {
	found := make(map[string]int64)
	paths := make([]string, len(keys))
	for i, key := range keys {
		paths[i] = s.path(key)
	}
	i := 0
	for kv, err := range s.get(ctx, paths, clientv3.WithKeysOnly()) {
		if err != nil {
			return nil, err
		}
		if kv != nil {
			found[keys[i]] = kv.ModRevision
		}
		i++
	}
	return found, nil
}

// Load implements part of [store.Store]. A column whose digest isn't that of its key is a [store.ErrDamaged].
func (s *SharedStore) Load(ctx context.Context, key string) ([]byte, error) {
	for value, err := range s.load(ctx, []string{key}, func() {}) {
		return value, err
	}
	panic("unreachable") // load yields one pair for each key
}

// LoadMany implements [store.BulkLoader]. To load columns this way, all that the root names and that weren't loaded or
// put before, makes the root one that [SharedStore.Renew] renews.
func (s *SharedStore) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return s.load(ctx, keys, s.noteWhole)
}

// load loads keys, and calls whole if there are columns among them, and all of these are there.
func (s *SharedStore) load(ctx context.Context, keys []string, whole func()) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		paths := make([]string, len(keys))
		for i, key := range keys {
			paths[i] = s.path(key)
		}
		i, columns := 0, 0
		for kv, err := range s.get(ctx, paths) {
			key := keys[i]
			i++
			value, err := valueOf(key, kv, err)
			if isColumn(key) && (err == nil || errors.Is(err, store.ErrKeyNotFound)) {
				err = s.noteColumn(key, kv, err)
				columns++
			} else if err == nil {
				s.mu.Lock()
				s.loaded[key] = kv.ModRevision
				s.mu.Unlock()
			}
			if err != nil {
				value, columns = nil, len(keys)+1 // not all are there
			}
			if !yield(value, err) || err != nil && !errors.Is(err, store.ErrKeyNotFound) {
				return
			}
		}
		if 0 < columns && columns <= len(keys) {
			whole()
		}
	}
}

// noteWhole notes that all columns that the own keys name have been loaded.
func (s *SharedStore) noteWhole() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, revision := range s.loaded {
		s.named[key] = max(revision, s.named[key])
	}
}

// noteColumn notes what was found of a column, and returns the error of loading it.
func (s *SharedStore) noteColumn(key string, kv *mvccpb.KeyValue, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		if s.held[key] != 0 {
			s.held[key] = 0
		}
	case !hasDigest(key, kv.Value):
		s.bad[key] = true
		return fmt.Errorf("load %q: %w", key, store.ErrDamaged)
	default:
		delete(s.bad, key)
		s.held[key] = kv.ModRevision
	}
	return err
}

// Store implements part of [store.Store].
func (s *SharedStore) Store(ctx context.Context, key string, value []byte) error {
	return s.Commit(ctx, store.Change{Put: []store.Entry{{Key: key, Value: value}}})
}

// Remove implements part of [store.Store]. A column stays for the other nodes.
func (s *SharedStore) Remove(ctx context.Context, key string) error {
	return s.Commit(ctx, store.Change{Remove: []string{key}})
}
