package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/types/key"
	"tailscale.com/types/persist"
)

// identityKey is the key under which a store holds an identity.
const identityKey = "identity"

// identity is what makes a client the same node the next time. It is stored as JSON.
type identity struct {
	MachineKey key.MachinePrivate
	Persist    persist.Persist // the node key among others
}

// loadIdentity returns the identity that s holds. If it holds none, it makes and stores a new one;
// the node key in it is zero until the client has registered.
func loadIdentity(ctx context.Context, s store.Store) (*identity, error) {
	data, err := s.Load(ctx, identityKey)
	if errors.Is(err, store.ErrKeyNotFound) {
		id := &identity{MachineKey: key.NewMachine()}
		return id, id.save(ctx, s)
	}
	if err != nil {
		return nil, fmt.Errorf("load the keys of this node: %w", err)
	}
	id := new(identity)
	if err := json.Unmarshal(data, id); err != nil {
		return nil, fmt.Errorf("read the keys of this node: %w", err)
	}
	if id.MachineKey.IsZero() {
		return nil, errors.New("read the keys of this node: there is no machine key")
	}
	return id, nil
}

func (id *identity) save(ctx context.Context, s store.Store) error {
	data, err := json.Marshal(id)
	if err != nil {
		return fmt.Errorf("encode the keys of this node: %w", err)
	}
	if err := s.Store(ctx, identityKey, data); err != nil {
		return fmt.Errorf("save the keys of this node: %w", err)
	}
	return nil
}
