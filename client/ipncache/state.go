package ipncache

import (
	"context"
	"errors"

	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/ipn"
)

// StateStore returns s as a store for a backend's own state: keys, preferences, profiles. So a node without a disk can
// keep everything in one place: state in one store, netmaps in another (see [Options].Open). The two must not
// share a prefix. State is secret. Use [github.com/netmapcache/netmapcache/store/sealed] to keep it so.
//
// The backend waits for each method without a deadline. So s has to bound how long its methods take.
func StateStore(s store.Store) ipn.StateStore { return stateStore{s} }

// A stateStore uses the names of a backend's values as keys. They are short printable ASCII.
type stateStore struct{ store store.Store }

func (s stateStore) ReadState(id ipn.StateKey) ([]byte, error) {
	value, err := s.store.Load(context.Background(), string(id))
	if errors.Is(err, store.ErrKeyNotFound) {
		return nil, ipn.ErrStateNotExist
	}
	return value, err
}

func (s stateStore) WriteState(id ipn.StateKey, value []byte) error {
	if value == nil {
		return s.store.Remove(context.Background(), string(id))
	}
	return s.store.Store(context.Background(), string(id), value)
}
