package node

import (
	"context"
	"errors"

	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/ipn"
)

// keyStore is a store as a backend wants it. The names of a backend's values are printable ASCII, and short.
type keyStore struct {
	store.Store
}

// ReadState implements [ipn.StateStore].
func (s keyStore) ReadState(id ipn.StateKey) ([]byte, error) {
	value, err := s.Load(context.Background(), string(id))
	if errors.Is(err, store.ErrKeyNotFound) {
		return nil, ipn.ErrStateNotExist
	}
	return value, err
}

// WriteState implements [ipn.StateStore].
func (s keyStore) WriteState(id ipn.StateKey, value []byte) error {
	if value == nil {
		return s.Remove(context.Background(), string(id))
	}
	return s.Store.Store(context.Background(), string(id), value)
}
