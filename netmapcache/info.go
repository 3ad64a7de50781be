package netmapcache

import (
	"context"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
)

// Info describes the cached netmap.
type Info struct {
	// SavedAt is when the netmap was last changed, by the clock of the device.
	SavedAt time.Time

	// ConfirmedAt is when the netmap was last known to be current, that is when
	// it was last stored or updated. Storing the same netmap
	// again moves it at most every ten minutes.
	ConfirmedAt time.Time

	Owner      string // as given to WithOwner
	Peers      int    // number of peers
	Users      int    // number of user profiles
	Columns    int    // number of columns, each a value in the store
	Bytes      int64  // size of the columns and of the root, in bytes
	Generation uint64 // number of changes written to the store since it was empty

	// Upstream tells that the store holds the layout of upstream's package, of
	// which nothing else is known without reading all of it.
	Upstream bool
}

// Info describes the cached netmap from its root alone, whoever the owner
// and whatever the age. Errors are those of [Cache.Load], but it doesn't find
// out whether the columns are whole.
func (c *Cache) Info(ctx context.Context) (Info, error) {
	if !enabled {
		return Info{}, ErrCacheNotAvailable
	}
	end, err := c.begin(ctx)
	if err != nil {
		return Info{}, err
	}
	defer end()
	value, err := c.loadRoot(ctx)
	if err != nil {
		return Info{}, err
	}
	if isUpstream(value) {
		return Info{Upstream: true}, nil
	}
	root, err := openRoot(value)
	if err != nil {
		return Info{}, err
	}
	info := Info{
		SavedAt:     root.Saved,
		ConfirmedAt: root.Confirmed,
		Owner:       root.Owner,
		Columns:     len(root.Columns),
		Bytes:       int64(len(value)),
		Generation:  root.Generation,
	}
	for _, col := range root.Columns {
		info.Bytes += int64(col.Size)
		switch col.Kind {
		case format.KindPeers:
			info.Peers += int(col.Count)
		case format.KindUsers:
			info.Users += int(col.Count)
		}
	}
	return info, nil
}
