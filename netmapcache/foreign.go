package netmapcache

import (
	"context"
	"errors"

	"github.com/netmapcache/netmapcache/store"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
)

// A foreignStore may have been written for upstream's package, whose sentinel for an absent key differs from this module's.
type foreignStore struct{ wrapped }

// adapt returns a store that reports this module's sentinel. A store with more than the four methods was written for this module.
func adapt(s Store) Store {
	switch s.(type) {
	case store.Committer, store.BulkLoader:
		return s
	}
	return foreignStore{s}
}

// Load implements [Store].
func (s foreignStore) Load(ctx context.Context, key string) ([]byte, error) {
	value, err := s.wrapped.Load(ctx, key)
	if errors.Is(err, upstream.ErrKeyNotFound) {
		err = ErrKeyNotFound
	}
	return value, err
}
