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

// lookEvery is how often the netmap is looked at unasked while control may change it: the backend tells
// nobody of a new packet filter, or of a peer's new endpoints or home relay.
const lookEvery = 5 * time.Second

// finishTimeout bounds what shutting down waits for.
const finishTimeout = 5 * time.Second

// The pauses before a store that can't be opened is asked for again: the first, and the longest.
const (
	minPause = time.Second
	maxPause = 10 * time.Minute
)

// worker is the goroutine of an extension. What it has looked up before a slow step, it looks up again after it.
type worker struct {
	*extension

	caches map[identity]*cache // that were opened
	wanted *identity           // whose cache was last asked for
	cache  *cache              // of wanted; nil if there is none, or none yet
	openAt time.Time           // when to open it; zero for not at all
	pause  time.Duration       // after the last time that this failed

	tried *login // that a netmap was last to be restored for
	due   bool   // the netmap may differ from what was last saved
	live  bool   // control may have changed the netmap since it was last looked at

	told map[Event]string // the error that was told last; none if it was a success
}

// cache is that of a login profile. It writes behind, in the background.
type cache struct {
	*netmapcache.Cache
	identity
	upstream *netmapcache.Cache // the same, but takes netmaps that tell no owner
	cleared  bool               // since anything was last saved
	unsaved  int                // calls of Store that no commit has told of yet
}

// commit tells how a commit of a cache ended.
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

// finish leaves the caches of a backend that is being shut down as they should be.
func (w *worker) finish() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), finishTimeout)
	defer cancel()
	if l := w.noted().login; l != nil {
		w.open(ctx, l)
		if w.cache != nil && w.removed(w.cache.profile) { // ephemeral nodes log out
			w.discard(ctx)
		} else {
			w.save(ctx, l) // whatever was noted: not all is
		}
	}
	for _, c := range w.caches {
		if err := c.Close(ctx); err != nil {
			w.logf("not saved before the end: %v", err)
		}
	}
	w.takeNotes()
}

// takeNotes looks at what has been noted about the netmap and about commits.
func (w *worker) takeNotes() {
	w.mu.Lock()
	changed, commits := w.notes.changed, w.notes.commits
	w.notes.changed, w.notes.commits = false, nil
	w.mu.Unlock()
	if changed {
		w.due = true
		w.live = true // at least when that changed
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

// look has the netmap looked at if control may have changed it since the last time, even if control is gone since.
func (w *worker) look() {
	live := w.lb.HealthTracker().GetInPollNetMap()
	w.due = w.due || live || w.live
	w.live = live
}

// open sees to it that w.cache is that of l. The one before is emptied if its profile is gone.
func (w *worker) open(ctx context.Context, l *login) {
	if w.wanted == nil || *w.wanted != l.identity {
		if w.cache != nil && w.removed(w.cache.profile) {
			w.discard(ctx)
		}
		w.wanted, w.cache, w.openAt, w.pause = &l.identity, nil, time.Time{}, 0
		clear(w.told)
		if l.profile != "" { // else it is new, and was never logged in
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

// cacheOf returns the cache of an identity, or nil if there is to be none.
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

// removed reports whether there is no such profile any more.
func (e *extension) removed(profile ipn.ProfileID) bool {
	return !slices.ContainsFunc(e.lb.ListProfiles(), func(p ipn.LoginProfileView) bool { return p.ID() == profile })
}

// report tells of what was done.
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

// allowed reports whether the user lets netmaps be kept, by the variable that LocalBackend heeds too.
func allowed() bool { return envknob.BoolDefaultTrue("TS_USE_CACHED_NETMAP") }
