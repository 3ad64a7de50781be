package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/netmapcache/netmapcache/store"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Commit implements [store.Committer]. It doesn't write columns again that another node has already put.
func (s *SharedStore) Commit(ctx context.Context, ch store.Change) error {
	if err := ch.Validate(); err != nil {
		return err
	}
	for _, e := range ch.Put {
		if isColumn(e.Key) && !hasDigest(e.Key, e.Value) {
			return fmt.Errorf("store %q: the value has another digest: %w", e.Key, store.ErrBadKey)
		}
	}
	if g := ch.Guard; g != nil && isColumn(g.Key) {
		return fmt.Errorf("guard %q: a column is no guard: %w", g.Key, store.ErrBadKey)
	}
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for range outrunAttempts {
		err := s.tryShared(ctx, ch)
		if !errors.Is(err, errStale) {
			return err
		}
		s.since = time.Time{}
	}
	return fmt.Errorf("etcd: the leases changed each time: %w", store.ErrConflict)
}

// tryShared applies ch, or returns errStale if the leases have changed.
func (s *SharedStore) tryShared(ctx context.Context, ch store.Change) error {
	c := change{guard: ch.Guard, path: s.path}
	var columns []string // to put
	removed := make(map[string]bool)
	for _, e := range ch.Put {
		if isColumn(e.Key) {
			columns = append(columns, e.Key)
		}
	}
	for _, key := range ch.Remove {
		if isColumn(key) {
			removed[key] = true
		} else if isEntry(key) {
			c.remove = append(c.remove, s.path(key))
		}
	}
	if len(ch.Put) > 0 {
		if err := s.renew(ctx); err != nil {
			return err
		}
		there, err := s.share(ctx, columns)
		if err != nil {
			return err
		}
		c.always = s.current(s.now)
		for _, e := range ch.Put {
			if !there[e.Key] {
				c.put = append(c.put, put{key: e.Key, path: s.path(e.Key), value: e.Value, lease: s.now.id})
			}
		}
	}
	revision, err := s.commit(ctx, c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range removed {
		delete(s.held, key)
	}
	for _, key := range columns {
		s.held[key] = revision
		delete(s.bad, key)
	}
	if n := len(ch.Put); n > 0 && !isColumn(ch.Put[n-1].Key) {
		s.named[ch.Put[n-1].Key] = revision
	}
	return nil
}

// share returns those of columns that are stored and not damaged, and attaches them to the newest lease.
func (s *SharedStore) share(ctx context.Context, columns []string) (map[string]bool, error) {
	found, err := s.look(ctx, columns)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	there := make(map[string]bool)
	var old []string
	for key, revision := range found {
		if s.bad[key] {
			continue
		}
		there[key] = true
		if revision <= s.now.revision {
			old = append(old, s.path(key))
		}
	}
	s.mu.Unlock()
	return there, s.attach(ctx, old)
}

// Renew attaches what this node has to the newest lease of the fleet, if it is attached to another. It makes a new lease first if
// one is due. A node must call Renew at least every quarter of a lease's life to keep what it has stored.
// If nothing is due, Renew makes two requests at most, once in an eighth of the life.
func (s *SharedStore) Renew(ctx context.Context) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for range outrunAttempts {
		if err = s.renew(ctx); !errors.Is(err, errStale) {
			break
		}
		s.since = time.Time{}
	}
	if err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	return nil
}

// Keep calls Renew every eighth of a lease's life until ctx ends. For each call that fails it calls onError, unless that is nil.
func (s *SharedStore) Keep(ctx context.Context, onError func(error)) {
	for {
		if err := s.Renew(ctx); err != nil && ctx.Err() == nil && onError != nil {
			onError(err)
		}
		select {
		case <-time.After(s.life / 8):
		case <-ctx.Done():
			return
		}
	}
}

// renew is one attempt of Renew. It returns errStale if the leases changed meanwhile. After it, every column that this node has
// is attached to the newest lease.
func (s *SharedStore) renew(ctx context.Context) error {
	if age := s.clock().Sub(s.since); s.since.IsZero() || age < 0 || age > s.life/8 {
		newest, err := s.newest(ctx)
		if err != nil {
			return err
		}
		s.now, s.since = newest, s.clock()
	}
	var old []string
	s.mu.Lock()
	for key, revision := range s.held {
		if revision <= s.now.revision {
			old = append(old, key)
		}
	}
	s.mu.Unlock()
	found, err := s.look(ctx, old)
	if err != nil {
		return err
	}
	var paths []string
	for _, key := range old {
		switch revision := found[key]; {
		case revision == 0:
			return s.forget(ctx)
		case revision <= s.now.revision:
			paths = append(paths, s.path(key))
		}
	}
	if err := s.attach(ctx, paths); err != nil {
		return err
	}
	s.mu.Lock()
	for _, key := range old {
		s.held[key] = s.now.revision + 1 // or later
	}
	roots := make(map[string]int64)
	for key, revision := range s.named {
		if revision <= s.now.revision {
			roots[key] = revision
		}
	}
	s.mu.Unlock()
	return s.renewRoots(ctx, roots)
}

// forget removes the own keys that were put or loaded, since a column that they may name is gone, and forgets all columns. So
// a cache that relies on these keys learns that they are gone.
func (s *SharedStore) forget(ctx context.Context) error {
	s.mu.Lock()
	known := maps.Clone(s.loaded)
	for key, revision := range s.named {
		known[key] = max(revision, known[key])
	}
	s.mu.Unlock()
	for key, revision := range known {
		path := s.path(key)
		unchanged := []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(path), "=", revision)}
		if _, err := s.txn(ctx, unchanged, []clientv3.Op{clientv3.OpDelete(path)}, nil); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.held)
	clear(s.loaded)
	clear(s.named)
	return nil
}

// renewRoots attaches own keys to the newest lease, unless they have changed since this node had all columns
// that they name.
func (s *SharedStore) renewRoots(ctx context.Context, roots map[string]int64) error {
	for key, revision := range roots {
		path := s.path(key)
		conditions := append(s.current(s.now), clientv3.Compare(clientv3.ModRevision(path), "=", revision))
		res, err := s.txn(ctx, conditions,
			[]clientv3.Op{clientv3.OpPut(path, "", clientv3.WithIgnoreValue(), clientv3.WithLease(s.now.id))},
			[]clientv3.Op{clientv3.OpGet(path, clientv3.WithKeysOnly())})
		if err != nil {
			return err
		}
		if !res.Succeeded {
			if kvs := res.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 && kvs[0].ModRevision == revision {
				return errStale
			}
		}
		s.mu.Lock()
		if res.Succeeded {
			s.named[key] = res.Header.Revision
		} else {
			delete(s.named, key) // another process of this node has replaced it
		}
		s.mu.Unlock()
	}
	return nil
}
