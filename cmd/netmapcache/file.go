package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// errNoSnapshot is reported for a file that isn't an exported snapshot.
var errNoSnapshot = errors.New("neither a directory nor an exported snapshot")

// openFile opens data, which Export wrote in the form that docs/format.cddl specifies: an array of the root
// and one value for each column that it names. openFile also opens a file that was cut short or is damaged.
// Loading it then reports what is missing.
func openFile(ctx context.Context, name string, data []byte) (*source, error) {
	values, extra := openArray(data)
	if len(values) == 0 || len(values[0]) == 0 || values[0][0] != sealHead {
		return nil, fmt.Errorf("%s: %w", name, errNoSnapshot)
	}
	s := memstore.New()
	src := &source{name: name, store: s, cache: netmapcache.NewCache(s), file: data}
	if err := s.Store(ctx, rootKey, values[0]); err != nil {
		return nil, err
	}
	// Only the root contains the keys.
	columns, err := src.cache.Columns(ctx)
	if err != nil {
		return nil, src.explain(ctx, err)
	}
	for i, col := range columns {
		if i+1 < len(values) {
			if err := s.Store(ctx, col.Key, values[i+1]); err != nil {
				return nil, err
			}
		}
	}
	if extra || len(values) > len(columns)+1 {
		src.extra = fmt.Errorf("%s: something follows the last column: %w", name, netmapcache.ErrCorrupt)
	}
	return src, nil
}

// sealHead begins each root.
const sealHead = 0x82

// openArray returns the byte strings of the array in data, as far as they are whole, and whether anything
// follows the array.
func openArray(data []byte) (values [][]byte, extra bool) {
	major, n, rest, ok := cborHead(data)
	if !ok || major != majorArray {
		return nil, false
	}
	for range n {
		major, size, content, ok := cborHead(rest)
		if !ok || major != majorBytes || size > uint64(len(content)) {
			return values, false
		}
		values = append(values, content[:size])
		rest = content[size:]
	}
	return values, len(rest) > 0
}

// exportPartial returns the snapshot in s as Export writes it, but with an empty value in place of each damaged
// column. Import refuses such a file.
func (s *source) exportPartial(ctx context.Context) ([]byte, error) {
	var data []byte
	err := s.settled(ctx, func(root []byte) error {
		_, columns, err := s.cache.LoadPartial(ctx)
		if err != nil {
			return err
		}
		values := [][]byte{root}
		for _, col := range columns {
			value := []byte{}
			if col.Err == nil {
				if value, err = s.store.Load(ctx, col.Key); err != nil {
					return err
				}
			}
			values = append(values, value)
		}
		data, err = cbor.Marshal(values)
		return err
	})
	return data, err
}

// attempts is how often to read again because another writer has changed the root meanwhile.
const attempts = 100

// settled calls read with the value of the root, until the root stays the same during the call.
func (s *source) settled(ctx context.Context, read func(root []byte) error) error {
	for range attempts {
		before, _ := s.store.Load(ctx, rootKey) // there may be none
		readErr := read(before)
		if after, _ := s.store.Load(ctx, rootKey); bytes.Equal(before, after) {
			return readErr
		}
	}
	return fmt.Errorf("%s: %w", s.name, store.ErrConflict)
}
