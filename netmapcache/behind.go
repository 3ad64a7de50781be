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
	// times those of the largest tailnets.
	maxNoted = 1 << 18

	// maxPause is the longest pause before a failed commit is tried again.
	maxPause = 5 * time.Minute
)

// WithWriteBehind makes [Cache.Store] and the Update methods return when they have noted their change,
// without a look at the store. All that is noted is committed as one change at most delay after the
// first was noted, or when [Cache.Flush] is called. What is noted when the process ends is lost;
// the store then holds the snapshot of an earlier call, whole.
//
// [Cache.Load], [Cache.Info], [Cache.Columns] and [Cache.Export] see what is noted. [Cache.Clear] and
// [Cache.Import] act at once, and forget it.
//
// A commit that fails is told to onError, unless that is nil, on a goroutine of its own. The changes are
// kept, and tried again after a pause that doubles each time, up to five minutes. An error that satisfies
// errors.Is(err, [ErrCacheNotAvailable]) says that there is no snapshot that noted updates could be
// applied to: those are dropped. A later Store replaces what was noted before it. So memory is bounded; if
// noted updates name more than 262,144 peers and users, a further update reports an error and isn't noted.
//
// Netmaps are not copied: what Store was given must not change.
//
// [WithCommitInterval] has commits that follow each other begin later, and [WithTrace] tells of those that succeed.
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

// WithCommitInterval has a commit of changes that are noted under [WithWriteBehind] begin at least interval
// after the last one that wrote anything. The first change after a pause that long waits for the delay only;
// [Cache.Flush] waits for neither. Without WithWriteBehind it does nothing.
func WithCommitInterval(interval time.Duration) Option {
	return func(c *Cache) { c.interval = interval }
}

// A writeBehind has the changes that are noted, and sees to it that they are committed.
type writeBehind struct {
	cache *Cache
	delay time.Duration

	mu       sync.Mutex // guards the fields below
	noted    *change    // nil for none
	timer    *time.Timer
	waiting  bool      // for the timer
	closed   bool      // nothing more is noted, nor tried by itself
	failures int       // commits that failed since the last that didn't
	err      error     // of the last commit
	written  time.Time // when the last commit that wrote anything began
}

// note adds ch to what is noted.
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

// wait has what is noted committed when it is time, unless that is arranged already. The caller holds w.mu.
func (w *writeBehind) wait() {
	if !w.waiting {
		w.waitFor(max(w.delay, time.Until(w.written.Add(w.cache.interval))))
	}
}

// waitFor has what is noted committed after a pause. The caller holds w.mu.
func (w *writeBehind) waitFor(pause time.Duration) {
	if w.closed {
		return
	}
	w.waiting = true
	w.timer.Reset(pause)
}

// isDue reports, when the wait is over, whether to commit what is noted. If it was noted while a
// commit was under way, the interval after that one was not known yet: then the wait goes on.
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

// wrote takes note of a commit that wrote something, and when it began.
func (w *writeBehind) wrote(began time.Time) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written = began
}

// take returns what is noted, or nil, and forgets it. The caller has the turn of the Cache, so that no
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

// restore notes what take returned again, before what was noted meanwhile.
func (w *writeBehind) restore(ch *change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noted != nil {
		ch = ch.then(w.noted)
	}
	w.noted = ch
	w.wait()
}

// instead has do take the place of what is noted, which is noted again if do fails. The caller has the turn of the Cache.
func (w *writeBehind) instead(do func() error) error {
	ch := w.take()
	err := do()
	if ch != nil && err != nil {
		w.restore(ch)
	}
	return err
}

// ended takes note of how a commit of ch ended.
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

// Flush commits what is noted under [WithWriteBehind], and waits for it. Its error is that of the commit, which
// is then tried again as it says there. Without that option there is nothing to do.
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

// Close ends write-behind, and commits what is noted as [Cache.Flush] does. After an error it isn't tried again,
// except by a call of Flush. Store and the Update methods report [ErrClosed] from now on; what is stored can still
// be read, cleared and replaced by an import. The store isn't closed. Without [WithWriteBehind], Close does nothing.
func (c *Cache) Close(ctx context.Context) error {
	if c.behind == nil {
		return nil
	}
	c.behind.close()
	return c.Flush(ctx)
}

// close has nothing more be noted.
func (w *writeBehind) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.timer.Stop()
}

// withView calls read with the store, or, if changes are noted, with the store as it would be if they were committed.
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

// A planned is a store as it would be after a plan. Only its methods Load and LoadMany know of the plan.
type planned struct {
	wrapped
	values map[string][]byte // that the plan puts
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
