package netmapcache

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/netmapcache/netmapcache/store"
)

// A Column is a column of the stored snapshot, as the root describes it.
type Column struct {
	Name  string // the name in errors: "node", "dns", "peers-1f"
	Key   string // the key in the store
	Size  int64  // in bytes
	Count int    // the number of peers, users or filter rules in it, otherwise 1

	// Err says why the column can't be used: it is missing, its digest differs,
	// or it can't be decoded. It is nil if the column is whole.
	Err error
}

// Columns reads and checks every column of the stored snapshot, whoever its
// owner is and whatever its age. Unlike [Cache.Load] it goes on after
// a column that can't be used.
//
// If the root can't be used, the error is that of Load. What upstream's package
// stored has no columns that could be checked one by one. Then Columns
// returns no columns, and reports the error of Load if that fails.
func (c *Cache) Columns(ctx context.Context) ([]Column, error) {
	if !enabled {
		return nil, ErrCacheNotAvailable
	}
	end, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var columns []Column
	err = c.withView(ctx, func(s store.Store, _ bool) error {
		return settled(ctx, s, func(value []byte) (err error) {
			if isUpstream(value) {
				columns = nil
				_, _, err = c.readUpstream(ctx, s, value)
				return err
			}
			columns, err = checkColumns(ctx, s, value)
			return err
		})
	})
	ofColumn := func(col Column) bool { return col.Err == err }
	if err != nil && !slices.ContainsFunc(columns, ofColumn) {
		return nil, err
	}
	return columns, nil
}

// checkColumns checks the columns of the snapshot in s whose root is value. damage is the error of the first
// column that can't be used.
func checkColumns(ctx context.Context, s store.Store, value []byte) (columns []Column, damage error) {
	root, err := openRoot(value)
	if err != nil {
		return nil, err
	}
	r := newReader(root)
	for _, col := range root.Columns {
		data, err := s.Load(ctx, columnKey(col))
		err = r.take(col, data, err)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			return nil, err
		}
		damage = cmp.Or(damage, err)
		columns = append(columns, Column{Name: columnName(col), Key: columnKey(col), Size: int64(col.Size), Count: int(col.Count), Err: err})
	}
	return columns, damage
}
