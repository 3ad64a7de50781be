package ipncache

import (
	"context"
	"errors"

	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/ipn"
)

// StateStore returns a store as backends want it for their own state: keys, preferences, profiles. So a node can
// have all that it keeps in one place, without a disk: state in one store, netmaps in another (see [Options].Open), which never
// share a prefix. State is secret, and [github.com/netmapcache/netmapcache/store/sealed] keeps it so.
//
// The backend waits for each method, and gives it no deadline: the store has to bound how long it takes.
func StateStore(s store.Store) ipn.StateStore { return stateStore{s} }

// The names of a backend's values are printable ASCII, and short.
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
