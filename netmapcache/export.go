package netmapcache

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/store"
)

// maxExported is the length in bytes of the longest exported snapshot that is read. It has to be in memory as a whole.
const maxExported = 8 * codec.MaxBytes

// Export checks the stored snapshot, and then writes it to w as one file, which [Cache.Import] reads:
// the root and the columns as they are stored.
// docs/format.cddl specifies the bytes. They are in the clear, whatever the store.
// If upstream's package stored the netmap, Export writes what this package would store now.
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
	var values [][]byte
	err = c.withView(ctx, func(s store.Store, _ bool) (err error) {
		values, err = c.exported(ctx, s)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := w.Write(codec.AppendExported(nil, values)); err != nil {
		return fmt.Errorf("netmapcache: export: %w", err)
	}
	return nil
}

// exported returns the root of the snapshot in s and its columns, in the root's order.
func (c *Cache) exported(ctx context.Context, s store.Store) ([][]byte, error) {
	r := recorder{s, make(map[string][]byte)}
	_, seen, err := c.read(ctx, r)
	if err != nil {
		return nil, err
	}
	if seen.root != nil && !hasUnknownColumns(seen.value) {
		values := [][]byte{seen.value}
		for _, col := range seen.root.Columns {
			values = append(values, r.values[columnKey(col)])
		}
		return values, nil
	}
	// Make a root: upstream's layout has none, and columns that this build doesn't know can't be exported.
	whole := &change{replace: func(*snapshot) *snapshot { return seen.base }, stamp: seen.root}
	p, err := c.plan(&observation{absent: true}, whole)
	if err != nil {
		return nil, err
	}
	values := [][]byte{p.then.value}
	for _, e := range p.change.Put[:len(p.change.Put)-1] {
		values = append(values, e.Value)
	}
	return values, nil
}

// wrapped is [Store] under a name that a type with a method Store can embed.
type wrapped store.Store

// A recorder is a store that keeps the values that were loaded from it.
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

// Import reads a snapshot from r that [Cache.Export] wrote, and stores it in place of the cached one, with its
// owner and its times. It reads all of r, at most 512 MiB, before it writes anything.
//
// The error is an [ErrCorrupt] if r doesn't hold a whole exported snapshot, and an [ErrWrongOwner]
// if the snapshot has another owner. Other errors are those of [Cache.Store]
// and of r. After an error nothing has changed.
func (c *Cache) Import(ctx context.Context, r io.Reader) error {
	if !enabled {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(r, maxExported+1))
	if err != nil {
		return fmt.Errorf("netmapcache: import: %w", err)
	}
	values, err := openExported(data)
	if err != nil {
		return err
	}
	reader := &Cache{store: values, owner: c.owner, now: c.now}
	_, seen, err := reader.read(ctx, values)
	if err != nil {
		return err
	}
	whole := &change{replace: func(*snapshot) *snapshot { return seen.base.withBytes(values.byKey) }, stamp: seen.root}

	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.behind.instead(func() error { return c.commit(ctx, whole) })
}

// withBytes returns a copy of s in which each column has its bytes from byKey.
func (s *snapshot) withBytes(byKey map[string][]byte) *snapshot {
	next := *s
	give := func(columns []*column) {
		for i, c := range columns {
			if c != nil {
				with := *c
				with.data = byKey[c.key]
				columns[i] = &with
			}
		}
	}
	next.peers.columns, next.users.columns = slices.Clone(s.peers.columns), slices.Clone(s.users.columns)
	give(next.single[:])
	give(next.peers.columns)
	give(next.users.columns)
	return &next
}

// exported is an exported snapshot as a store. Only Load works.
type exported struct {
	wrapped
	byKey map[string][]byte
}

// openExported returns the exported snapshot in data. It demands one value for each column, in the root's order, so
// a small file can't stand for a large snapshot.
func openExported(data []byte) (exported, error) {
	const name = "exported snapshot"
	if len(data) > maxExported {
		return exported{}, corrupt(name, fmt.Sprintf("more than %d bytes", maxExported))
	}
	values, err := codec.DecodeExported(data)
	if err != nil {
		return exported{}, corruptBy(name, err)
	}
	if len(values) == 0 {
		return exported{}, corrupt(name, "empty")
	}
	if _, err := openRoot(values[0]); err != nil {
		return exported{}, err
	}
	columns, err := allColumns(values[0])
	if err != nil {
		return exported{}, err
	}
	if len(columns) != len(values)-1 {
		return exported{}, corrupt(name, fmt.Sprintf("%d values for %d columns", len(values)-1, len(columns)))
	}
	byKey := map[string][]byte{rootKey: values[0]}
	for i, col := range columns {
		switch v := values[1+i]; {
		case !known(col.Kind): // added by a later version
		case uint64(len(v)) != col.Size || digestOf(v) != col.Digest:
			return exported{}, corrupt(columnName(col), "digest differs")
		default:
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
