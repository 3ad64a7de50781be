package netmapcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/netmapcache/netmapcache/store"
)

const (
	// maxNoted is how many peers and users the noted changes may name: several
	// times as many as the largest tailnets have.
	maxNoted = 1 << 18

	// maxPause is the longest pause before the next attempt after a failed commit.
	maxPause = 5 * time.Minute
)

// WithWriteBehind makes [Cache.Store] and the Update methods return as soon as they have noted their change,
// without access to the store. The Cache commits all noted changes as one, at most delay after the
// first was noted, or when [Cache.Flush] is called. If the process ends before that, the noted changes are lost.
// The store then holds the snapshot of an earlier call, whole.
//
// [Cache.Load], [Cache.Info], [Cache.Columns] and [Cache.Export] include the noted changes. [Cache.Clear] and
// [Cache.Import] act at once and discard them.
//
// If a commit fails, the Cache calls onError, unless that is nil, on a goroutine of its own. It keeps the changes
// and tries again after a pause that doubles each time, up to five minutes. If the error satisfies
// errors.Is(err, [ErrCacheNotAvailable]), there is no snapshot to apply the noted updates to, and the Cache drops
// them. A later Store replaces what was noted before it. Memory is bounded: noted updates
// may name at most 262,144 peers and users. An update that would exceed this reports an error and isn't noted.
//
// The Cache doesn't copy netmaps. A netmap that Store was given must not change.
//
// See [WithCommitInterval] for longer pauses between commits, and [WithTrace] for reports of all commits.
func WithWriteBehind(delay time.Duration, onError func(error)) Option {
	return func(c *Cache) {
		w := &writeBehind{cache: c, delay: delay}
		w.timer = time.AfterFunc(delay, func() {
			if !w.isDue() {
				return
			}
			if err := c.Flush(context.Background()); err != nil && onError != nil {
				onError(err)
			}
		})
		w.timer.Stop()
		c.behind = w
	}
}

// WithCommitInterval makes each commit of changes noted under [WithWriteBehind] begin at least interval
// after the beginning of the last commit that wrote anything. After a pause of that length a change waits only for the delay.
// [Cache.Flush] waits for neither. Without WithWriteBehind the option does nothing.
func WithCommitInterval(interval time.Duration) Option {
	return func(c *Cache) { c.interval = interval }
}

// A writeBehind holds the noted changes, and has them committed in time.
type writeBehind struct {
	cache *Cache
	delay time.Duration

	mu       sync.Mutex // guards the fields below
	noted    *change    // nil for none
	timer    *time.Timer
	waiting  bool      // the timer runs
	closed   bool      // no more changes are noted, and no commit begins by itself
	failures int       // failed commits since the last success
	err      error     // of the last commit
	written  time.Time // when the last commit that wrote anything began
}

// note adds ch to the noted change.
func (w *writeBehind) note(ch *change) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if ch.replace == nil && w.noted != nil && w.noted.size()+ch.size() > maxNoted {
		if w.err != nil {
			return fmt.Errorf("netmapcache: too many changes wait for a store that fails: %w", w.err)
		}
		return errors.New("netmapcache: too many changes wait for the store")
	}
	w.noted = w.noted.then(ch)
	w.wait()
	return nil
}

// wait starts the timer for the next commit, unless it runs. The caller holds w.mu.
func (w *writeBehind) wait() {
	if !w.waiting {
		w.waitFor(max(w.delay, time.Until(w.written.Add(w.cache.interval))))
	}
}

// waitFor starts the timer for a commit after pause, unless w is closed. The caller holds w.mu.
func (w *writeBehind) waitFor(pause time.Duration) {
	if w.closed {
		return
	}
	w.waiting = true
	w.timer.Reset(pause)
}

// isDue reports, when the timer has expired, whether to commit now. If the change was noted during a
// commit, the timer was started before the end of the interval was known. Then the wait goes on.
func (w *writeBehind) isDue() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = false
	if time.Until(w.written.Add(w.cache.interval)) <= 0 {
		return true
	}
	w.wait()
	return false
}

// wrote records when a commit began that wrote something.
func (w *writeBehind) wrote(began time.Time) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written = began
}

// take returns the noted change, or nil, and forgets it. The caller has the turn of the Cache, so no
// other call finds the change neither noted nor stored.
func (w *writeBehind) take() *change {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	ch := w.noted
	w.noted = nil
	return ch
}

// restore notes a change again that take returned. It comes before what was noted meanwhile.
func (w *writeBehind) restore(ch *change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noted != nil {
		ch = ch.then(w.noted)
	}
	w.noted = ch
	w.wait()
}

// instead forgets the noted change and calls do. If do fails, the change is noted again. The caller has the turn of the Cache.
func (w *writeBehind) instead(do func() error) error {
	ch := w.take()
	err := do()
	if ch != nil && err != nil {
		w.restore(ch)
	}
	return err
}

// ended records how a commit of ch ended, and plans the next attempt after a failure.
func (w *writeBehind) ended(ch *change, err error) {
	again := err != nil && !errors.Is(err, ErrCacheNotAvailable)
	if again {
		w.restore(ch)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	if !again {
		w.failures = 0
		return
	}
	w.waitFor(min(max(w.delay, time.Second)<<min(w.failures, 10), maxPause))
	w.failures++
}

// Flush commits the changes noted under [WithWriteBehind] and waits for the commit. Its error is that of the commit, which
// the Cache then tries again as described there. Without that option Flush does nothing.
func (c *Cache) Flush(ctx context.Context) error {
	if c.behind == nil {
		return nil
	}
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	ch := c.behind.take()
	if ch == nil {
		return nil
	}
	err = c.commit(ctx, ch)
	c.behind.ended(ch, err)
	return err
}

// Close ends write-behind, and commits the noted changes as [Cache.Flush] does. After an error only another call
// of Flush tries again. From now on Store and the Update methods report [ErrClosed]. What is stored can still
// be read, cleared, and replaced by an import. Close doesn't close the store. Without [WithWriteBehind], Close does nothing.
func (c *Cache) Close(ctx context.Context) error {
	if c.behind == nil {
		return nil
	}
	c.behind.close()
	return c.Flush(ctx)
}

// close makes note report ErrClosed, and stops the timer.
func (w *writeBehind) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.timer.Stop()
}

// withView calls read with the store. If changes are noted, it calls read with a view of the store as it would be after their commit.
func (c *Cache) withView(ctx context.Context, read func(s store.Store, noted bool) error) error {
	ch := c.behind.take()
	if ch == nil {
		return read(c.store, false)
	}
	defer c.behind.restore(ch)
	for range attempts {
		seen, err := c.observe(ctx, ch, 1)
		if err != nil {
			return err
		}
		p, err := c.plan(seen, ch)
		if err != nil {
			return err
		}
		err = read(newPlanned(c.store, p), true)
		if !errors.Is(err, ErrCorrupt) {
			return err
		}
		c.last = nil // a column is gone: another writer removed it, or it was lost
	}
	return errOutrun
}

// A planned is a store as it would be after a plan. Only Load and LoadMany take the plan into account.
type planned struct {
	wrapped
	values map[string][]byte // what the plan puts
}

func newPlanned(s store.Store, p *plan) planned {
	view := planned{s, make(map[string][]byte, len(p.change.Put))}
	for _, e := range p.change.Put {
		view.values[e.Key] = e.Value
	}
	return view
}

func (p planned) Load(ctx context.Context, key string) ([]byte, error) {
	if value, ok := p.values[key]; ok {
		return bytes.Clone(value), nil
	}
	return p.wrapped.Load(ctx, key)
}

func (p planned) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		stored := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return p.values[key] != nil })
		next, stop := iter.Pull2(store.LoadMany(ctx, p.wrapped, stored))
		defer stop()
		for _, key := range keys {
			value, err, ok := bytes.Clone(p.values[key]), error(nil), true
			if value == nil {
				value, err, ok = next()
			}
			if !ok || !yield(value, err) {
				return
			}
		}
	}
}
