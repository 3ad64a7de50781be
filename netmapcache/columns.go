package netmapcache

import (
	"bytes"
	"context"
	"errors"

	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/types/netmap"
)

// A Column is a column of the stored snapshot, as the root describes it.
type Column struct {
	Name  string // as errors name it: "node", "dns", "peers-1f"
	Key   string // that the store keeps it under
	Size  int64  // in bytes
	Count int    // the peers, users or filter rules in it, else 1

	// Err tells why the column can't be used: it is missing, its digest differs,
	// or it can't be decoded. It is nil if the column is whole.
	Err error
}

// Columns reads every column of the stored snapshot and checks it, whoever the
// owner and whatever the age. Unlike [Cache.Load] it goes on after
// a column that can't be used.
//
// If the root can't be used the error is that of Load. What upstream's package
// stored has no columns that could be checked one by one: then Columns
// returns none, and the error of Load if that fails.
func (c *Cache) Columns(ctx context.Context) ([]Column, error) {
	if !enabled {
		return nil, ErrCacheNotAvailable
	}
	end, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	value, err := c.loadRoot(ctx)
	if err == nil && isUpstream(value) {
		_, _, err = c.read(ctx)
		return nil, err
	}
	for range attempts {
		if err != nil {
			return nil, err
		}
		columns, whole, checkErr := c.check(ctx, value)
		if checkErr != nil || whole {
			return columns, checkErr
		}
		// Damaged, or replaced by another writer meanwhile.
		again, rootErr := c.loadRoot(ctx)
		if rootErr == nil && bytes.Equal(again, value) {
			return columns, nil
		}
		value, err = again, rootErr
	}
	return nil, errOutrun
}

// check checks the columns of the snapshot whose root is value, and reports
// whether all are whole.
func (c *Cache) check(ctx context.Context, value []byte) (columns []Column, whole bool, err error) {
	root, err := openRoot(value)
	if err != nil {
		return nil, false, err
	}
	whole = true
	var (
		s  snapshot
		nm netmap.NetworkMap
	)
	for _, col := range root.Columns {
		key, name := columnKey(col), columnName(col)
		data, err := c.store.Load(ctx, key)
		switch {
		case errors.Is(err, ErrKeyNotFound):
			err = corrupt(name, "missing")
		case errors.Is(err, store.ErrDamaged):
			err = corruptBy(name, err)
		case err != nil:
			return nil, false, storeError(name, err)
		case uint64(len(data)) != col.Size || digestOf(data) != col.Digest:
			err = corrupt(name, "digest differs")
		default:
			if err = s.decode(&nm, col, data); err != nil {
				err = corruptBy(name, err)
			}
		}
		whole = whole && err == nil
		columns = append(columns, Column{Name: name, Key: key, Size: int64(col.Size), Count: int(col.Count), Err: err})
	}
	return columns, whole, nil
}
