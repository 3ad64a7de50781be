package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/store"
	"go4.org/mem"
	"tailscale.com/types/key"
)

// discoKeyName is where the disco key is kept, 32 bytes. The backend makes another one at each start.
const discoKeyName = "netmapcache-disco"

// discoKey returns the node's disco key, and makes it if there is none yet.
//
// It has to stay the same. When control tells a peer of another one, the peer takes this node for one that has just started, and drops its
// session with it (ipnlocal's nodeBackend.discoChangedLocked). But a node that has started from its cached network map is in the
// middle of a session by then, and doesn't notice for 15 seconds that nobody listens (wireguard-go's
// KeepaliveTimeout and RekeyTimeout).
func (n *Node) discoKey(ctx context.Context) (key.DiscoPrivate, error) {
	kept, err := n.opts.Keys.Load(ctx, discoKeyName)
	switch {
	case errors.Is(err, store.ErrKeyNotFound), err == nil && len(kept) != 32:
		kept = make([]byte, 32)
		rand.Read(kept) // never fails
		err = n.opts.Keys.Store(ctx, discoKeyName, kept)
	}
	if err != nil {
		return key.DiscoPrivate{}, fmt.Errorf("keep the disco key: %w", err)
	}
	return key.DiscoPrivateFromRaw32(mem.B(kept)), nil
}
