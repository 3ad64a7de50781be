package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// testValues: values of all sizes survive, and belong to the caller.
func (r *runner) testValues(t *testing.T) {
	for _, size := range []int{0, 1, 100, 4095, 4096, 4097, 1 << 16, r.opts.LargeValue} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s, ctx := r.begin(t), t.Context()
			want := randomBytes(size)
			if err := s.Store(ctx, "stored", want); err != nil {
				t.Fatal(err)
			}
			if err := store.Commit(ctx, s, store.Change{Put: []store.Entry{{Key: "committed", Value: want}, entry("last", "")}}); err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"stored", "committed"} {
				if got, err := s.Load(ctx, key); err != nil || !bytes.Equal(got, want) {
					t.Errorf("Load(%q) = %s, %v, want %s", key, brief(got), err, brief(want))
				}
			}
			for got, err := range store.LoadMany(ctx, s, []string{"stored", "committed"}) {
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("LoadMany = %s, %v, want %s", brief(got), err, brief(want))
				}
			}
		})
	}

	t.Run("every byte", func(t *testing.T) {
		s, ctx := r.begin(t), t.Context()
		want := make([]byte, 256)
		for i := range want {
			want[i] = byte(i)
		}
		if err := s.Store(ctx, "a", want); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Load(ctx, "a"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("Load = %q, %v", got, err)
		}
	})

	t.Run("nil is an empty value", func(t *testing.T) {
		s, ctx := r.begin(t), t.Context()
		if err := s.Store(ctx, "a", nil); err != nil {
			t.Fatal(err)
		}
		if err := store.Commit(ctx, s, store.Change{Put: []store.Entry{{Key: "b"}}}); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a", "b"} {
			if got, err := s.Load(ctx, key); err != nil || len(got) != 0 {
				t.Errorf("Load(%q) = %q, %v, want an empty value", key, got, err)
			}
		}
	})

	t.Run("a part of a larger buffer", func(t *testing.T) {
		s, ctx := r.begin(t), t.Context()
		buffer := randomBytes(1000)
		if err := s.Store(ctx, "a", buffer[100:200]); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Load(ctx, "a"); err != nil || !bytes.Equal(got, buffer[100:200]) {
			t.Errorf("Load = %s, %v, want %s", brief(got), err, brief(buffer[100:200]))
		}
	})

	t.Run("ownership", func(t *testing.T) {
		s, ctx := r.begin(t), t.Context()
		want := randomBytes(1000)
		scribble := func(b []byte) {
			for i := range b {
				b[i] ^= 0xff
			}
		}
		buffer := bytes.Clone(want)
		if err := s.Store(ctx, "stored", buffer); err != nil {
			t.Fatal(err)
		}
		scribble(buffer)
		buffer = bytes.Clone(want)
		if err := store.Commit(ctx, s, store.Change{Put: []store.Entry{{Key: "committed", Value: buffer}}}); err != nil {
			t.Fatal(err)
		}
		scribble(buffer)
		keys := []string{"stored", "committed"}
		for range 2 {
			for _, key := range keys {
				got, err := s.Load(ctx, key)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("Load(%q) = %s, %v, want %s", key, brief(got), err, brief(want))
				}
				scribble(got)
			}
			for got, err := range store.LoadMany(ctx, s, keys) {
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("LoadMany = %s, %v, want %s", brief(got), err, brief(want))
				}
				scribble(got)
			}
		}
	})
}

// testBadKeys: a key that isn't valid can't be stored, and is absent.
func (r *runner) testBadKeys(t *testing.T) {
	for name, key := range map[string]string{
		"empty":           "",
		"too long":        longKey + "k",
		"far too long":    strings.Repeat("k", 10_000),
		"NUL":             "a\x00b",
		"newline":         "a\n",
		"DEL":             "a\x7f",
		"not ASCII":       "é",
		"not UTF-8":       "a\xff",
		"unit separator":  "\x1f",
		"lone surrogate":  "\xed\xa0\x80",
		"above the plane": "\U0001f600",
	} {
		t.Run(name, func(t *testing.T) {
			s, ctx := r.begin(t), t.Context()
			if err := s.Store(ctx, "a", []byte("1")); err != nil {
				t.Fatal(err)
			}
			if err := s.Store(ctx, key, []byte("2")); !errors.Is(err, store.ErrBadKey) {
				t.Errorf("Store(%q): %v, want ErrBadKey", key, err)
			}
			if got, err := s.Load(ctx, key); !errors.Is(err, store.ErrKeyNotFound) {
				t.Errorf("Load(%q) = %q, %v, want ErrKeyNotFound", key, got, err)
			}
			if err := s.Remove(ctx, key); err != nil {
				t.Errorf("Remove(%q): %v", key, err)
			}
			if key != "" {
				if err := list(key)(ctx, s); err != nil {
					t.Error(err)
				}
			}
			if err := list("", "a")(ctx, s); err != nil {
				t.Error(err)
			}
		})
	}
}

// testReopen: what was written is there when the store is opened again.
func (r *runner) testReopen(t *testing.T) {
	if r.opts.Reopen == nil {
		t.Skip("the store does not persist")
	}
	s, ctx := r.begin(t), t.Context()
	check := func(steps ...step) {
		t.Helper()
		for _, do := range steps {
			if err := do(ctx, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	check(put("a", "1"), put("b", "2"), put("c", ""), remove("b"), list("", "a", "c"))
	s = r.opts.Reopen(t, s)
	check(list("", "a", "c"), get("a", "1"), get("c", ""), absent("b"))
	check(commit(store.Change{Guard: guard("a", "1"), Put: []store.Entry{entry("d", "3"), entry("a", "4")}, Remove: []string{"c"}}))
	s = r.opts.Reopen(t, s)
	check(list("", "a", "d"), get("a", "4"), get("d", "3"), absent("c"))
}

// randomBytes returns n bytes that are the same in every run.
func randomBytes(n int) []byte {
	value := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(value)
	return value
}
