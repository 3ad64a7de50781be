package netmapcache

import (
	"context"
	"errors"

	"github.com/netmapcache/netmapcache/store"
)

// Clear removes the cached netmap from the store, whoever its owner is, and
// whatever an interrupted commit left. Keys that are not the cache's stay.
//
// Clear removes the root first, and then the netmap is gone. If Clear reports
// an error after that, columns may be left in the store. A later call
// of Store or Clear removes them.
func (c *Cache) Clear(ctx context.Context) error {
	if !enabled {
		return nil
	}
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.behind.instead(func() error { return c.clear(ctx) })
}

func (c *Cache) clear(ctx context.Context) error {
	// A damaged root can go. But a root that can't be read now may be the only
	// sign that upstream's keys aren't foreign.
	value, err := c.store.Load(ctx, rootKey)
	if err != nil && !isNotFound(err) && !errors.Is(err, store.ErrDamaged) {
		return storeError(rootKey, err)
	}
	root, _ := openRoot(value)
	if isUpstream(value) || root != nil && root.Upstream {
		if err := c.clearUpstream(ctx, value); err != nil {
			return err
		}
	}
	if err := c.store.Remove(ctx, rootKey); err != nil {
		return storeError(rootKey, err)
	}
	c.last = nil

	// From here on another writer may have stored a new snapshot.
	ch := store.Change{Guard: &store.Guard{Key: rootKey, Absent: true}}
	for key, err := range c.store.List(ctx, "") {
		if err != nil {
			return storeError("list of keys", err)
		}
		if isColumnKey(key) {
			ch.Remove = append(ch.Remove, key)
		}
	}
	if err := store.Commit(ctx, c.store, ch); err != nil && !errors.Is(err, store.ErrConflict) {
		return storeError("columns", err)
	}
	return nil
}

// cleared is the value of the root key while upstream's layout is being removed:
// upstream's JSON of the self node, without the node.
const cleared = "{}"

// clearUpstream removes upstream's layout, except the root key, whose value is
// value. The root key has to go last, since it alone shows that the other keys aren't
// foreign. Until then its value is cleared.
func (c *Cache) clearUpstream(ctx context.Context, value []byte) error {
	if string(value) != cleared {
		err := store.Commit(ctx, c.store, store.Change{
			Guard: &store.Guard{Key: rootKey, Value: value},
			Put:   []store.Entry{{Key: rootKey, Value: []byte(cleared)}},
		})
		if errors.Is(err, store.ErrConflict) {
			return nil // the other writer removes upstream's keys
		} else if err != nil {
			return storeError(rootKey, err)
		}
		c.last = nil
	}
	ch := store.Change{Guard: &store.Guard{Key: rootKey, Value: []byte(cleared)}}
	for key, err := range c.store.List(ctx, "") {
		if err != nil {
			return storeError("list of keys", err)
		}
		if isUpstreamKey(key) {
			ch.Remove = append(ch.Remove, key)
		}
	}
	if err := store.Commit(ctx, c.store, ch); err != nil && !errors.Is(err, store.ErrConflict) {
		return storeError("columns", err)
	}
	return nil
}
