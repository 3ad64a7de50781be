package netmapcache_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"pgregory.net/rapid"
)

// TestInterleaved: the calls of several writers overlap. The test draws which
// writer does its next operation on the store. So the steps of
// a call meet those of others in every order.
func TestInterleaved(t *testing.T) {
	torture.Check(t, 200, 20_000, func(rt *rapid.T) {
		m := &interleaved{ctx: t.Context(), store: memstore.New(), shared: newVersions()}
		m.store.Before = m.before
		m.store.After = m.after
		for range rapid.SampledFrom([]int{2, 2, 3, 8}).Draw(rt, "writers") {
			owner := drawOwner.Draw(rt, "owner")
			cache := netmapcache.NewCache(m.store, netmapcache.WithOwner(owner))
			m.writers = append(m.writers, &interleavedWriter{Cache: cache, owner: owner})
		}
		rt.Cleanup(func() {
			for _, w := range m.writers {
				if w.call != nil {
					w.stop()
				}
			}
		})
		rt.Repeat(map[string]func(*rapid.T){"Go on": m.goOn})
		for _, w := range m.writers {
			m.resume(rt, w, 1000)
		}
		m.checkSweep(rt)
	})
}

// An interleaved is a store with some writers, and the model of what is stored.
type interleaved struct {
	ctx     context.Context
	store   *memstore.Store
	shared  *versions
	writers []*interleavedWriter
	stored  *commit // nil for nothing

	current *interleavedWriter // the writer whose call is running, or nil
	failure error              // found inside a call
}

type interleavedWriter struct {
	*netmapcache.Cache
	owner string

	*call // under way; nil if none is
	next  func() (struct{}, bool)
	stop  func()
	pause func(struct{}) bool // ends a turn of the call

	seen    []*commit // what was stored when the call began, and after each later change
	took    bool      // the call committed something
	cleared bool      // the call removed what was stored
	outcome outcome
}

// goOn lets a writer go on with its call, or begin one.
func (m *interleaved) goOn(t *rapid.T) {
	w := m.writers[rapid.IntRange(0, len(m.writers)-1).Draw(t, "writer")]
	if w.call == nil {
		k := drawCall.Draw(t, "call")
		m.begin(w, k)
	}
	m.resume(t, w, rapid.SampledFrom([]int{1, 1, 2, 3, 5, 1000}).Draw(t, "operations"))
}

func (m *interleaved) begin(w *interleavedWriter, k call) {
	w.call, w.seen, w.took, w.cleared = &k, []*commit{m.stored}, false, false
	w.next, w.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.pause = yield
		w.outcome = k.do(m.ctx, w.Cache, m.shared)
	})
}

// resume lets w do up to n steps, each of which ends before or after an operation on the store.
// If the call ends, resume checks its outcome.
func (m *interleaved) resume(t *rapid.T, w *interleavedWriter, n int) {
	for range n {
		if w.call == nil {
			return
		}
		m.current = w
		_, more := w.next()
		m.current = nil
		if m.failure != nil {
			t.Fatalf("%s: %v", w.Op, m.failure)
		}
		if !more {
			if err := m.end(w); err != nil {
				var seen []any
				for _, s := range w.seen {
					if s == nil {
						seen = append(seen, "nothing")
					} else {
						seen = append(seen, *s)
					}
				}
				t.Fatalf("%s: %v; was stored meanwhile: %+v", w.Op, err, seen)
			}
			w.call = nil
		}
	}
}

var errStopped = errors.New("stopped")

// before ends the turn of a call before each operation on the store. Only the beginning of
// a List counts, since List reads the store once.
func (m *interleaved) before(op, key string) error {
	w := m.current
	if w == nil || op == "List" && key != "" {
		return nil
	}
	if !w.pause(struct{}{}) {
		return errStopped
	}
	return nil
}

// after checks what an operation has changed, and ends the turn.
func (m *interleaved) after(op, key string) error {
	w := m.current
	if w == nil {
		return nil
	}
	m.current = nil
	if err := m.changed(w, op, key); err != nil && m.failure == nil {
		m.failure = err
	}
	m.current = w
	if !w.pause(struct{}{}) {
		return errStopped
	}
	return nil
}

// changed checks what the store holds after w has changed it.
func (m *interleaved) changed(w *interleavedWriter, op, key string) error {
	c, info, ok, err := load(m.ctx, m.store)
	if err != nil {
		return fmt.Errorf("after %s %q, Load: %w", op, key, err)
	}
	before := m.stored
	switch {
	case op == "Remove" && key == "self" && w.Op == "Clear" && !w.cleared:
		w.cleared = true
		m.stored = nil
	case op == "Commit" && key == "self" && w.writes() && !w.took && ok:
		want, ok := w.result(before)
		if !ok || c != want.content || info.Owner != want.owner {
			return fmt.Errorf("stored %+v of %q, want %+v (%v)", c, info.Owner, want, ok)
		}
		w.took = true
		m.stored = &want
	}
	if ok != (m.stored != nil) || ok && c != m.stored.content {
		return fmt.Errorf("%s %q changed what is stored to %+v (%v), from %+v", op, key, c, ok, before)
	}
	for _, other := range m.writers {
		if other.call != nil && other.seen[len(other.seen)-1] != m.stored {
			other.seen = append(other.seen, m.stored)
		}
	}
	return nil
}

// result returns what the call under way makes of stored. ok is false if the call should refuse stored.
func (w *interleavedWriter) result(stored *commit) (next commit, ok bool) {
	base := selfOnly
	switch {
	case w.Op == "Store":
	case stored == nil:
		ok = w.Op == "UpdateSelfOnly"
		return commit{content: w.on(base), owner: w.owner}, ok
	case stored.isForeign(w.owner):
		return next, false
	default:
		base = stored.content
	}
	return commit{content: w.on(base), owner: w.call.owner(w.owner, stored)}, true
}

func (c *commit) isNone() bool { return c == nil }

// isForeign reports whether a Cache of that owner refuses c.
func (c *commit) isForeign(owner string) bool { return c != nil && owner != "" && c.owner != owner }

// saw reports whether f was true of what was stored at some time during the call.
func (w *interleavedWriter) saw(f func(*commit) bool) bool { return slices.ContainsFunc(w.seen, f) }

// end checks the outcome of w's call.
func (m *interleaved) end(w *interleavedWriter) error {
	err := w.outcome.err
	switch {
	case err == nil:
	case w.took || w.cleared:
		return fmt.Errorf("changed the store and failed: %w", err)
	case w.Op == "Store" || w.Op == "Clear":
		return err
	case isNone(err) && w.saw((*commit).isNone):
		return nil
	case errors.Is(err, netmapcache.ErrWrongOwner) && w.saw(func(c *commit) bool { return c.isForeign(w.owner) }):
		return nil
	default:
		return err
	}

	switch {
	case w.took, w.cleared:
	case w.writes():
		// It must have found that what it would store was already stored.
		if !w.saw(func(s *commit) bool {
			want, ok := w.result(s)
			return ok && s != nil && s.content == want.content && s.owner == want.owner
		}) {
			return errors.New("succeeded without effect")
		}
	case w.Op == "Clear":
		return errors.New("succeeded without effect")
	case w.Op == "Load":
		if !w.saw(func(s *commit) bool { return s != nil && s.content == w.outcome.loaded }) {
			return fmt.Errorf("loaded %+v", w.outcome.loaded)
		}
	case w.Op == "Info":
		if !w.saw(func(s *commit) bool {
			if s == nil {
				return false
			}
			peers, users := s.counts()
			return w.outcome.info.Owner == s.owner && w.outcome.info.Peers == peers && w.outcome.info.Users == users
		}) {
			return fmt.Errorf("Info = %+v", w.outcome.info)
		}
	}
	return nil
}

// checkSweep checks that a call of Store leaves no orphans.
func (m *interleaved) checkSweep(t *rapid.T) {
	if err := netmapcache.NewCache(m.store).Store(m.ctx, m.shared.netmap(selfOnly)); err != nil {
		t.Fatal(err)
	}
	keys := 0
	for range m.store.List(m.ctx, "") {
		keys++
	}
	_, info, _, err := load(m.ctx, m.store)
	if err != nil || keys != info.Columns+1 {
		t.Fatalf("store holds %d keys, want %d columns and a root (%v)", keys, info.Columns, err)
	}
}
