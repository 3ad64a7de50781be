package store

import (
	"context"
	"errors"
	"iter"
)

// LoadMany loads keys from s as [BulkLoader.LoadMany] does. If s is no [BulkLoader], it
// loads them one by one, without reading ahead.
func LoadMany(ctx context.Context, s Store, keys []string) iter.Seq2[[]byte, error] {
	if b, ok := s.(BulkLoader); ok {
		return b.LoadMany(ctx, keys)
	}
	return func(yield func([]byte, error) bool) {
		for _, key := range keys {
			value, err := s.Load(ctx, key)
			if err != nil {
				value = nil
			}
			if !yield(value, err) || err != nil && !errors.Is(err, ErrKeyNotFound) {
				return
			}
		}
	}
}
