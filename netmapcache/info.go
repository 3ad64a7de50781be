package netmapcache

import (
	"context"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
)

// Info describes the cached netmap. Its JSON has these names in all versions.
type Info struct {
	// SavedAt is when the netmap was last changed, by the clock of the device.
	SavedAt time.Time `json:"savedAt"`

	// ConfirmedAt is when the netmap was last known to be current, that is when
	// it was last stored or updated. Storing the same netmap
	// again moves it at most every ten minutes.
	ConfirmedAt time.Time `json:"confirmedAt"`

	Owner      string `json:"owner"`      // as given to WithOwner
	Peers      int    `json:"peers"`      // number of peers
	Users      int    `json:"users"`      // number of user profiles
	Columns    int    `json:"columns"`    // number of columns, each a value in the store
	Bytes      int64  `json:"bytes"`      // size of the columns and of the root, in bytes
	Generation uint64 `json:"generation"` // number of changes written to the store since it was empty

	// Upstream tells that the store holds the layout of upstream's package, of
	// which nothing else is known without reading all of it.
	Upstream bool `json:"upstream"`
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
