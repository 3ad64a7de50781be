package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// each runs do(0) to do(n-1) at once and waits for all of them.
func each(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// testWorkers: many goroutines use one store at once.
func (r *runner) testWorkers(t *testing.T) {
	t.Run("own keys", func(t *testing.T) {
		s, ctx := r.begin(t), t.Context()
		each(r.opts.Workers, func(w int) {
			mine := fmt.Sprintf("w%02d-", w)
			for round := range r.opts.Rounds {
				value := fmt.Sprint("value of round ", round)
				for _, do := range []step{
					put(mine+"a", value), put(mine+"b", value),
					list(mine, mine+"a", mine+"b"),
					get(mine+"a", value),
					commit(store.Change{Guard: guard(mine+"b", value), Put: []store.Entry{entry(mine+"c", value), entry(mine+"b", "")}, Remove: []string{mine + "a"}}),
					list(mine, mine+"b", mine+"c"),
					absent(mine + "a"), get(mine+"b", ""), get(mine+"c", value),
					remove(mine+"b", mine+"c"),
					list(mine),
				} {
					if err := do(ctx, s); err != nil {
						t.Errorf("worker %d, round %d: %v", w, round, err)
						return
					}
				}
			}
		})
		if err := list("")(ctx, s); err != nil {
			t.Error(err)
		}
	})

	t.Run("shared keys", func(t *testing.T) {
		s, ctx := r.begin(t), t.Context()
		keys := []string{"a", "b", "c"}
		each(r.opts.Workers, func(w int) {
			for round := range r.opts.Rounds {
				key := keys[(w+round)%len(keys)]
				// A value of one repeated byte and with its own length shows whether
				// it was mixed with another or cut short.
				if err := s.Store(ctx, key, bytes.Repeat([]byte{byte(w)}, 10_000+w)); err != nil {
					t.Errorf("Store(%q): %v", key, err)
				}
				for _, key := range keys {
					got, err := s.Load(ctx, key)
					if errors.Is(err, store.ErrKeyNotFound) {
						continue
					}
					if err != nil || len(got) < 10_000 || !bytes.Equal(got, bytes.Repeat(got[:1], 10_000+int(got[0]))) {
						t.Errorf("Load(%q) = %s, %v, want a value as it was stored", key, brief(got), err)
					}
				}
				if _, err := listKeys(ctx, s, ""); err != nil {
					t.Errorf("List: %v", err)
				}
				if round%2 == 1 {
					if err := s.Remove(ctx, key); err != nil {
						t.Errorf("Remove(%q): %v", key, err)
					}
				}
			}
		})
	})
}

// testAtomic: a reader that sees the root of a change also sees the columns that were put
// with it, until there is another root.
func (r *runner) testAtomic(t *testing.T) {
	const columns = 8
	s, ctx := r.begin(t), t.Context()
	column := func(gen string, i int) string { return fmt.Sprintf("col-%d.%s", i, gen) }
	change := func(gen, old int) store.Change {
		ch := store.Change{Guard: guardAbsent("root")}
		if old > 0 {
			ch.Guard = guard("root", strconv.Itoa(old))
		}
		for i := range columns {
			ch.Put = append(ch.Put, entry(column(strconv.Itoa(gen), i), strconv.Itoa(gen)))
			if old > 0 {
				ch.Remove = append(ch.Remove, column(strconv.Itoa(old), i))
			}
		}
		ch.Put = append(ch.Put, entry("root", strconv.Itoa(gen)))
		return ch
	}
	if err := store.Commit(ctx, s, change(1, 0)); err != nil {
		t.Fatal(err)
	}

	last := 1 + 4*r.opts.Rounds
	read := func() (gen string, err error) {
		root, err := s.Load(ctx, "root")
		if err != nil {
			return "", err
		}
		var keys []string
		for i := range columns {
			keys = append(keys, column(string(root), i))
		}
		for value, err := range store.LoadMany(ctx, s, keys) {
			if errors.Is(err, store.ErrKeyNotFound) {
				if now, err := s.Load(ctx, "root"); err != nil || bytes.Equal(now, root) {
					return "", fmt.Errorf("root %s (%v) is there and a column of it is not", root, err)
				}
				return string(root), nil // the writer has moved on
			}
			if err != nil || !bytes.Equal(value, root) {
				return "", fmt.Errorf("column of root %s = %q, %v", root, value, err)
			}
		}
		return string(root), nil
	}
	each(1+r.opts.Workers/4, func(i int) {
		if i == 0 {
			for gen := 2; gen <= last; gen++ {
				if err := store.Commit(ctx, s, change(gen, gen-1)); err != nil {
					t.Errorf("Commit of %d: %v", gen, err)
				}
			}
			return
		}
		for gen := ""; gen != strconv.Itoa(last) && !t.Failed(); {
			runtime.Gosched() // WASI has one thread, and a goroutine that never waits keeps it
			var err error
			if gen, err = read(); err != nil {
				t.Error(err)
			}
		}
	})
	if keys, err := listKeys(ctx, s, ""); err != nil || len(keys) != columns+1 {
		t.Errorf("List = %q, %v, want the last root and its columns", keys, err)
	}
}

// testRace: of several changes on the same condition exactly one is applied.
func (r *runner) testRace(t *testing.T) {
	s, ctx := r.begin(t), t.Context()
	condition := guardAbsent("root")
	for round := range r.opts.Rounds {
		mine := func(w int) string { return fmt.Sprintf("%d.%d", round, w) }
		var winners atomic.Int32
		var winner atomic.Int32
		each(r.opts.Workers, func(w int) {
			err := store.Commit(ctx, s, store.Change{
				Guard: condition,
				Put:   []store.Entry{entry("col-"+mine(w), mine(w)), entry("root", mine(w))},
			})
			switch {
			case err == nil:
				winners.Add(1)
				winner.Store(int32(w))
			case !errors.Is(err, store.ErrConflict):
				t.Errorf("Commit: %v, want nil or ErrConflict", err)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Fatalf("round %d: %d changes were applied, want 1", round, n)
		}
		won := mine(int(winner.Load()))
		for _, do := range []step{get("root", won), get("col-"+won, won), list(fmt.Sprintf("col-%d.", round), "col-"+won)} {
			if err := do(ctx, s); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		condition = guard("root", won)
	}
}

// testCount: increments by load and conditional commit are never lost.
func (r *runner) testCount(t *testing.T) {
	s, ctx := r.begin(t), t.Context()
	if err := s.Store(ctx, "n", []byte("0")); err != nil {
		t.Fatal(err)
	}
	increment := func() error {
		for {
			old, err := s.Load(ctx, "n")
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(string(old))
			if err != nil {
				return err
			}
			err = store.Commit(ctx, s, store.Change{
				Guard: &store.Guard{Key: "n", Value: old},
				Put:   []store.Entry{entry("n", strconv.Itoa(n+1))},
			})
			if !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
	}
	each(r.opts.Workers, func(int) {
		for range r.opts.Rounds {
			if err := increment(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	if err := get("n", strconv.Itoa(r.opts.Workers*r.opts.Rounds))(ctx, s); err != nil {
		t.Error(err)
	}
}
