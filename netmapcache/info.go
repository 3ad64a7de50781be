package netmapcache

import (
	"context"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
)

// Info describes the cached netmap. The names in its JSON are the same in all versions.
type Info struct {
	// SavedAt is when the netmap last changed, by the device's clock.
	SavedAt time.Time `json:"savedAt"`

	// ConfirmedAt is when the netmap was last known to be current, that is when
	// it was last stored or updated. Storing the same netmap
	// again moves this time every ten minutes at most.
	ConfirmedAt time.Time `json:"confirmedAt"`

	Owner      string `json:"owner"`      // as given to WithOwner
	Peers      int    `json:"peers"`      // number of peers
	Users      int    `json:"users"`      // number of user profiles
	Columns    int    `json:"columns"`    // number of columns, each a value in the store
	Bytes      int64  `json:"bytes"`      // size of the columns and the root, in bytes
	Generation uint64 `json:"generation"` // number of roots written to the store since it was empty

	// Upstream is true if the store holds the layout of upstream's package. Then
	// the other fields are zero, since only reading everything would tell them.
	Upstream bool `json:"upstream"`
}

// Info describes the cached netmap, whoever its owner is and whatever its age. It reads the root
// alone, so it doesn't notice damaged or missing columns. Its other errors are those of [Cache.Load].
func (c *Cache) Info(ctx context.Context) (Info, error) {
	if !enabled {
		return Info{}, ErrCacheNotAvailable
	}
	end, err := c.begin(ctx)
	if err != nil {
		return Info{}, err
	}
	defer end()
	var value []byte
	err = c.withView(ctx, func(s store.Store, _ bool) (err error) {
		value, err = loadRoot(ctx, s)
		return err
	})
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
