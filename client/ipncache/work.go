package ipncache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/envknob"
	"tailscale.com/ipn"
)

// lookEvery is how often the worker looks at the netmap while control may change it, since the backend doesn't
// announce a new packet filter, or a peer's new endpoints or home relay.
const lookEvery = 5 * time.Second

// finishTimeout bounds how long a shutdown waits.
const finishTimeout = 5 * time.Second

// The first and the longest pause before the next attempt to open a store.
const (
	minPause = time.Second
	maxPause = 10 * time.Minute
)

// A worker is the goroutine of an extension. After each slow step it checks again what it checked before the step.
type worker struct {
	*extension

	caches map[identity]*cache // all caches that were opened
	wanted *identity           // the identity whose cache is needed
	cache  *cache              // the cache of wanted; nil if there is none, or none yet
	openAt time.Time           // when to open it; zero if it needn't be opened
	pause  time.Duration       // the pause after the last failure to open it

	tried *login // the login for which the last restore was tried
	due   bool   // the netmap may differ from what was last saved
	live  bool   // control may have changed the netmap since the last look

	told map[Event]string // the error that was reported last; none if it was a success
}

// A cache is the cache of a login profile. It writes behind, in the background.
type cache struct {
	*netmapcache.Cache
	identity
	upstream *netmapcache.Cache // the same store, but accepts netmaps without an owner
	cleared  bool               // nothing was saved since the cache was emptied
	unsaved  int                // calls of Store that no commit has reported yet
}

// A commit says how a commit of a cache ended.
type commit struct {
	*cache
	calls int
	err   error
}

func newWorker(e *extension) *worker {
	return &worker{extension: e, caches: map[identity]*cache{}, told: map[Event]string{}}
}

// run does what the hooks ask for, one thing at a time, until the backend is shut down.
func (w *worker) run() {
	defer close(w.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-w.ctx.Done():
			w.finish()
			return
		case <-w.wake:
			w.takeNotes()
		case <-w.looks:
			w.look()
		case c := <-w.clears:
			c.done <- w.clear(c.ctx)
		case <-timer.C:
		}
		w.step()
		if w.openAt.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(w.openAt))
		}
	}
}

// step does what is due.
func (w *worker) step() {
	l := w.noted().login
	if l == nil {
		return
	}
	w.open(w.ctx, l)
	w.restore(l)
	w.tendSessions()
	if w.due {
		w.due = false
		w.save(w.ctx, l)
	}
}

// finish saves or empties the caches of a backend that is being shut down.
func (w *worker) finish() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), finishTimeout)
	defer cancel()
	if l := w.noted().login; l != nil {
		w.open(ctx, l)
		if w.cache != nil && w.removed(w.cache.profile) { // ephemeral nodes log out
			w.discard(ctx)
		} else {
			w.save(ctx, l) // even without a note, since some changes aren't announced
		}
	}
	for _, c := range w.caches {
		if err := c.Close(ctx); err != nil {
			w.logf("not saved before the end: %v", err)
		}
	}
	w.takeNotes()
}

// takeNotes handles the notes about the netmap and about commits.
func (w *worker) takeNotes() {
	w.mu.Lock()
	changed, commits := w.notes.changed, w.notes.commits
	w.notes.changed, w.notes.commits = false, nil
	w.mu.Unlock()
	if changed {
		w.due = true
		w.live = true // at least when the netmap changed
	}
	for _, c := range commits {
		if c.err == nil {
			c.unsaved -= c.calls
		}
		if c.cache == w.cache && (c.err != nil || c.unsaved == 0) {
			w.report(Saved, c.err)
		}
	}
}

// look makes the netmap due if control may have changed it since the last look, even if control is gone by now.
func (w *worker) look() {
	live := w.lb.HealthTracker().GetInPollNetMap()
	w.due = w.due || live || w.live
	w.live = live
}

// open makes w.cache the cache of l. It empties the previous one if its profile is gone.
func (w *worker) open(ctx context.Context, l *login) {
	if w.wanted == nil || *w.wanted != l.identity {
		if w.cache != nil && w.removed(w.cache.profile) {
			w.discard(ctx)
		}
		w.wanted, w.cache, w.openAt, w.pause = &l.identity, nil, time.Time{}, 0
		clear(w.told)
		if l.profile != "" { // an empty one is new, and was never logged in
			w.openAt = time.Now()
		}
	}
	if w.openAt.IsZero() || time.Now().Before(w.openAt) {
		return
	}
	c, err := w.cacheOf(ctx, l.identity)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		w.pause = min(max(2*w.pause, minPause), maxPause)
		w.openAt = time.Now().Add(w.pause)
		w.report(Restored, err)
	default:
		w.cache, w.openAt = c, time.Time{}
	}
}

// cacheOf returns the cache of an identity, or nil if Options.Open wants none.
func (w *worker) cacheOf(ctx context.Context, id identity) (*cache, error) {
	if c := w.caches[id]; c != nil {
		return c, nil
	}
	s, err := w.opts.Open(ctx, w.lb, id.profile)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if s == nil {
		return nil, nil
	}
	c := &cache{identity: id, upstream: netmapcache.NewCache(s)}
	c.Cache = netmapcache.NewCache(s,
		netmapcache.WithOwner(id.owner),
		netmapcache.WithMaxAge(w.opts.MaxAge),
		netmapcache.WithWriteBehind(w.opts.delay(), nil),
		netmapcache.WithCommitInterval(w.opts.interval()),
		netmapcache.WithTrace(&netmapcache.Trace{Committed: func(i netmapcache.CommitInfo) {
			w.note(func(n *notes) { n.commits = append(n.commits, commit{c, i.Calls, i.Err}) })
		}}))
	w.caches[id] = c
	return c, nil
}

// removed reports whether the profile no longer exists.
func (e *extension) removed(profile ipn.ProfileID) bool {
	return !slices.ContainsFunc(e.lb.ListProfiles(), func(p ipn.LoginProfileView) bool { return p.ID() == profile })
}

// report reports an event to Options.OnEvent, and logs errors.
func (w *worker) report(event Event, err error) {
	if err != nil {
		if w.told[event] == err.Error() {
			return
		}
		w.told[event] = err.Error()
		w.logf("not %s: %v", event, err)
	} else {
		delete(w.told, event)
	}
	if w.opts.OnEvent != nil {
		w.opts.OnEvent(w.lb, event, err)
	}
}

// allowed reports whether the user allows netmaps to be kept, by the variable that LocalBackend also heeds.
func allowed() bool { return envknob.BoolDefaultTrue("TS_USE_CACHED_NETMAP") }
