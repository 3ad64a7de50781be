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

// A SharedStore is the store of one node of a fleet whose nodes share equal values. It is made for one
// [github.com/netmapcache/netmapcache/netmapcache.Cache] at a time.
//
// A key that ends in a dot and 32 lower-case hexadecimal digits is a column. Its value is shared, and its
// SHA-256, truncated to 128 bits, must be these digits. Every other key is the node's own, and for such keys the contract of package store holds. A node
// lists the columns that it has put or loaded, and not removed. A column is kept as long as
// a node that lists it is alive, and up to the life of a lease longer.
//
// # Leases
//
// Everything that is stored is attached to leases, which the nodes share. So what no node uses goes by itself, and
// no node ever has to read the roots of all others. A root, the key that a change puts last, is attached to the
// lease of all columns that the node has then. So they go in the same moment, and no stored root lacks a column. When the
// newest lease is older than half its life, the next node that notices makes another. The nodes then
// attach to it what they still have, without sending its bytes. What one node has attached, the others needn't attach again.
//
// A node does so with each Commit that puts something, and with [SharedStore.Renew], which it has to call at least every quarter of the life. If a node
// was stopped for longer than the life, it finds nothing stored. If somebody revokes a lease, a node may find its
// snapshot incomplete. In both cases the next Store of a whole netmap stores everything anew.
//
// # Trust
//
// Any node of the fleet can remove or replace what the others have stored. Since digests are checked, the others notice.
type SharedStore struct {
	access
	own, columns, leases string // prefixes
	life                 time.Duration
	clock                func() time.Time

	turn  *semaphore.Weighted // held by the call that commits or renews; guards now and since
	now   lease               // the newest lease, as far as is known
	since time.Time           // when now was looked up; zero to look it up again

	mu     sync.Mutex
	held   map[string]int64 // the columns that this node has, each with a revision at which it was attached to a lease, or 0 if it is gone
	bad    map[string]bool  // the columns that were found damaged
	loaded map[string]int64 // the own keys that were loaded, with their revisions
	named  map[string]int64 // the own keys whose values can only name columns that are held, with their revisions
}

// Shared returns the store of a node in the fleet under prefix. The nodes of one tailnet make up a fleet. The name of the node must
// differ from those of the other nodes, and stay the same when the node is started again. life is how long a lease lives. It must be the same for
// all nodes, and is counted in seconds.
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

// isColumn reports whether key is the key of a column.
func isColumn(key string) bool {
	n := len(key) - digestLen
	return n > 0 && key[n-1] == '.' && strings.Trim(key[n:], "0123456789abcdef") == ""
}

// hasDigest reports whether the digest of value is the one in key, the key of a column.
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

// begin waits for the caller's turn. The caller ends it by calling end.
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

// heldColumns returns the columns with prefix that this node has and that are stored.
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

// look returns the revisions of those columns that are stored.
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

// Load implements part of [store.Store]. If the digest of a column isn't the one in its key, the error is a [store.ErrDamaged].
func (s *SharedStore) Load(ctx context.Context, key string) ([]byte, error) {
	for value, err := range s.load(ctx, []string{key}, func() {}) {
		return value, err
	}
	panic("unreachable") // load yields one pair for each key
}

// LoadMany implements [store.BulkLoader]. After one call has loaded all columns that a loaded root names and that this node hasn't loaded or
// put before, [SharedStore.Renew] renews that root.
func (s *SharedStore) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return s.load(ctx, keys, s.noteWhole)
}

// load loads keys. It calls whole if there are columns among them and all of these are stored.
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
				value, columns = nil, len(keys)+1 // so whole isn't called
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

// noteWhole records that all columns that the loaded own keys name have been loaded.
func (s *SharedStore) noteWhole() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, revision := range s.loaded {
		s.named[key] = max(revision, s.named[key])
	}
}

// noteColumn records what was found for a column, and returns the error of loading it.
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
