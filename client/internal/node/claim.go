package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/store"
)

// ErrOtherControl is reported for keys that another control server knows. It would be told them, and who has them.
var ErrOtherControl = errors.New("the keys are those of a node of another control server")

// claimKey is where it is kept which control server the keys are for. It is not the backend's to know: it has no URL with a path.
const claimKey = "netmapcache-control"

// claim notes which control server the keys are for. It refuses them if they are for another one that knows them.
func (n *Node) claim(ctx context.Context) error {
	kept, err := n.opts.Keys.Load(ctx, claimKey)
	switch {
	case errors.Is(err, store.ErrKeyNotFound):
	case err != nil:
		return fmt.Errorf("look whose keys there are: %w", err)
	case string(kept) == n.opts.Claim:
		return nil
	case !n.backend.NodeKey().IsZero():
		return fmt.Errorf("%w, %s: log out there first", ErrOtherControl, kept)
	}
	if err := n.opts.Keys.Store(ctx, claimKey, []byte(n.opts.Claim)); err != nil {
		return fmt.Errorf("note whose keys these are: %w", err)
	}
	return nil
}
