package netmapcache

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
)

// Export writes the cached netmap to w in one piece, for [Cache.Import] to read:
// the root and the columns as they are stored, once they are known to be whole.
// docs/format.cddl states the bytes. They are in the clear, whatever the store.
// What upstream's package stored is exported as if it were stored here now.
// Errors are those of [Cache.Load] and of w.
func (c *Cache) Export(ctx context.Context, w io.Writer) error {
	if !enabled {
		return ErrCacheNotAvailable
	}
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()

	r := recorder{c.store, make(map[string][]byte)}
	reader := &Cache{store: r, owner: c.owner, maxAge: c.maxAge, now: c.now, writer: c.writer}
	_, s, err := reader.read(ctx)
	if err != nil {
		return err
	}
	var values [][]byte
	if s.root != nil {
		values = append(values, s.value)
		for _, col := range s.root.Columns {
			values = append(values, r.values[columnKey(col)])
		}
	} else { // upstream's layout
		values = append(values, nil) // the root, which is made of the columns
		err := s.putColumns(nil, func(e store.Entry) error {
			values = append(values, bytes.Clone(e.Value))
			return nil
		})
		if err != nil {
			return fmt.Errorf("netmapcache: export: %w", err)
		}
		values[0] = sealRoot(reader.newRoot(&stored{}, s))
	}
	if _, err := w.Write(codec.AppendExported(nil, values)); err != nil {
		return fmt.Errorf("netmapcache: export: %w", err)
	}
	return nil
}

// wrapped is [Store] under a name that can be embedded beside a method Store.
type wrapped store.Store

// A recorder is a store that keeps the values which were loaded from it.
type recorder struct {
	wrapped
	values map[string][]byte
}

func (r recorder) Load(ctx context.Context, key string) ([]byte, error) {
	value, err := r.wrapped.Load(ctx, key)
	r.values[key] = value
	return value, err
}

func (r recorder) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		i := 0
		for value, err := range store.LoadMany(ctx, r.wrapped, keys) {
			r.values[keys[i]] = value
			i++
			if !yield(value, err) {
				return
			}
		}
	}
}

// Import makes the snapshot that [Cache.Export] wrote the cached one, with its
// owner and its times. It reads all of r before it writes anything.
//
// What isn't a whole exported snapshot is an [ErrCorrupt], one of another
// owner an [ErrWrongOwner]; other errors are those of [Cache.Store]
// and of r. Nothing is changed then.
func (c *Cache) Import(ctx context.Context, r io.Reader) error {
	if !enabled {
		return nil
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("netmapcache: import: %w", err)
	}
	values, err := openExported(data)
	if err != nil {
		return err
	}
	reader := &Cache{store: values, owner: c.owner, now: c.now}
	_, s, err := reader.read(ctx)
	if err != nil {
		return err
	}
	for _, col := range s.columns() {
		col.data = values.byKey[col.key()]
	}
	s.stamp, s.value, s.root = s.root, nil, nil

	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.commit(ctx, s, anything)
}

// exported is the store that an exported snapshot stands for. Only Load can be used.
type exported struct {
	wrapped
	byKey map[string][]byte
}

// openExported returns the exported snapshot in data.
func openExported(data []byte) (exported, error) {
	const name = "exported snapshot"
	values, err := codec.DecodeExported(data)
	if err != nil {
		return exported{}, corruptBy(name, err)
	}
	if len(values) == 0 {
		return exported{}, corrupt(name, "empty")
	}
	root, err := openRoot(values[0])
	if err != nil {
		return exported{}, err
	}
	byDigest := make(map[format.Digest][]byte)
	for _, v := range values[1:] {
		byDigest[digestOf(v)] = v
	}
	byKey := map[string][]byte{rootKey: values[0]}
	for _, col := range root.Columns {
		if v, ok := byDigest[col.Digest]; ok {
			byKey[columnKey(col)] = v
		}
	}
	return exported{byKey: byKey}, nil
}

func (e exported) Load(_ context.Context, key string) ([]byte, error) {
	if value, ok := e.byKey[key]; ok {
		return value, nil
	}
	return nil, ErrKeyNotFound
}
