package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// streamed returns s without its abilities, but with one to commit, which goes through
// store.CommitStream.
func streamed(s store.Store) store.Store { return streaming{s} }

type streaming struct{ fourMethods }

// Commit has each entry made in the memory of the last one.
func (s streaming) Commit(ctx context.Context, ch store.Change) error {
	var buf []byte
	return store.CommitStream(ctx, s.fourMethods, ch.Guard, func(put func(store.Entry) error) ([]string, error) {
		for _, e := range ch.Put {
			clear(buf)
			buf = append(buf[:0], e.Value...)
			if err := put(store.Entry{Key: e.Key, Value: buf}); err != nil {
				return nil, err
			}
		}
		clear(buf)
		return ch.Remove, nil
	})
}

// testStream tests what only a stream can do: fail.
func (r *runner) testStream(t *testing.T) {
	s := r.begin(t)
	failed := errors.New("failed")
	before := map[string]string{"a": "1", "root": "1"}
	for key, value := range before {
		if err := s.Store(t.Context(), key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		stream store.Stream
		want   error
	}{
		{"it fails at once", func(func(store.Entry) error) ([]string, error) {
			return []string{"a"}, failed
		}, failed},
		{"it fails between entries", func(put func(store.Entry) error) ([]string, error) {
			return []string{"a"}, errors.Join(put(entry("b", "2")), put(entry("root", "2")), failed)
		}, failed},
		{"it goes on after a bad key", func(put func(store.Entry) error) ([]string, error) {
			put(entry("é", "2"))
			return []string{"a"}, put(entry("root", "2"))
		}, store.ErrBadKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, g := range []*store.Guard{nil, guard("root", "1")} {
				if err := store.CommitStream(t.Context(), s, g, tt.stream); !errors.Is(err, tt.want) {
					t.Errorf("CommitStream: %v, want %v", err, tt.want)
				}
			}
			if err := unchanged(t.Context(), s, before); err != nil {
				t.Error(err)
			}
		})
	}
}
