package netmapcache

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/types/netmap"
)

// LoadPartial loads what is whole of the stored snapshot, whoever its owner is and
// whatever its age. It is for people who inspect a damaged snapshot. A client must not use the
// result, since what is missing may be what forbids a connection.
//
// LoadPartial returns the netmap without what can't be used, and every column. If a column isn't in the
// netmap, its Err says why: it is damaged, or the store can't read it. If that is the self
// node's column, SelfNode is not valid.
// If upstream's package stored the netmap, there is a column for each of its keys.
//
// If the root can't be used, the error is that of [Cache.Load].
func (c *Cache) LoadPartial(ctx context.Context) (*netmap.NetworkMap, []Column, error) {
	if !enabled {
		return nil, nil, ErrCacheNotAvailable
	}
	end, err := c.begin(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	var (
		nm      *netmap.NetworkMap
		columns []Column
	)
	err = c.withView(ctx, func(s store.Store, _ bool) error {
		return settled(ctx, s, func(value []byte) (err error) {
			if isUpstream(value) {
				nm, columns, err = c.readWholeUpstream(ctx, s, value)
			} else {
				nm, columns, err = readWhole(ctx, s, value)
			}
			if err != nil {
				nm = nil
				return err
			}
			for _, col := range columns {
				if errors.Is(col.Err, ErrCorrupt) {
					return col.Err // settled begins again if another writer has replaced the snapshot
				}
			}
			return nil
		})
	})
	if nm == nil || errors.Is(err, store.ErrConflict) {
		return nil, nil, err
	}
	return nm, columns, nil
}

// readWhole reads all usable columns of the snapshot in s whose root is value.
func readWhole(ctx context.Context, s store.Store, value []byte) (*netmap.NetworkMap, []Column, error) {
	root, err := openRoot(value)
	if err != nil {
		return nil, nil, err
	}
	r := newReader(root)
	columns := make([]Column, len(root.Columns))
	for i, col := range root.Columns {
		data, err := s.Load(ctx, columnKey(col))
		err = r.take(col, data, err)
		if ctx.Err() != nil {
			return nil, nil, err
		}
		columns[i] = Column{Name: columnName(col), Key: columnKey(col), Size: int64(col.Size), Count: int(col.Count), Err: err}
	}
	if _, err := r.netmap(); err != nil {
		for i, col := range root.Columns {
			if col.Kind == format.KindFilter {
				columns[i].Err = err
			}
		}
	}
	return r.nm, columns, nil
}

// readWholeUpstream does the same for upstream's layout. self is the value of the root key.
func (c *Cache) readWholeUpstream(ctx context.Context, s store.Store, self []byte) (*netmap.NetworkMap, []Column, error) {
	columns := []Column{{Name: rootKey, Key: rootKey, Size: int64(len(self)), Count: 1}}
	whole := without{s, make(map[string]bool)}
	for key, err := range s.List(ctx, "") {
		if err != nil {
			return nil, nil, storeError("list of keys", err)
		}
		if !isUpstreamKey(key) {
			continue
		}
		data, err := s.Load(ctx, key)
		if isNotFound(err) {
			continue
		} else if ctx.Err() != nil {
			return nil, nil, err
		}
		if err == nil {
			err = checkUpstream(key, data)
		} else {
			err = loadError(upstreamName(key), err)
		}
		whole.keys[key] = err != nil
		columns = append(columns, Column{Name: upstreamName(key), Key: key, Size: int64(len(data)), Count: 1, Err: err})
	}
	nm, _, err := (&Cache{now: c.now}).readUpstream(ctx, whole, self)
	if err != nil {
		return nil, nil, err
	}
	return nm, columns, nil
}

// checkUpstream reports why data can't be the value of key, or nil.
func checkUpstream(key string, data []byte) error {
	switch {
	case strings.HasPrefix(key, upstreamPeerPrefix):
		var peer upstreamNode
		if err := decodeUpstream(key, data, &peer); err != nil || peer.Node != nil {
			return err
		}
		return corrupt(upstreamName(key), "no node")
	case strings.HasPrefix(key, upstreamUserPrefix):
		var u upstreamUser
		if err := decodeUpstream(key, data, &u); err != nil || u.UserProfile != nil {
			return err
		}
		return corrupt(upstreamName(key), "no user profile")
	default:
		return decodeUpstream(key, data, new(upstreamFields))
	}
}

// without is a store without some of its keys.
type without struct {
	wrapped
	keys map[string]bool
}

func (w without) Load(ctx context.Context, key string) ([]byte, error) {
	if w.keys[key] {
		return nil, fmt.Errorf("%q: %w", key, ErrKeyNotFound)
	}
	return w.wrapped.Load(ctx, key)
}
