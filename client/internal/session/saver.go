package session

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/util/mak"
)

// saver keeps a cache up to date with a running netmap without making the session wait. Changes that
// come in while one is being saved are merged: the cache may skip states, but
// always gets to the newest.
type saver struct {
	cache   *netmapcache.Cache
	current func() *netmap.NetworkMap // the whole running netmap; nil if there is none
	onSaved func(error)               // called after every attempt, from run
	retry   time.Duration             // how long to wait after a failure

	wake chan struct{} // holds a token while there is something to do

	mu      sync.Mutex
	pending changes
	saving  bool // something was taken from pending and isn't saved yet
}

// changes is what the cache doesn't have yet. All of it but full applies on top of full.
type changes struct {
	full     bool                                      // everything: the running netmap must be saved whole
	peers    map[tailcfg.StableNodeID]tailcfg.NodeView // an invalid view stands for a removed peer
	profiles map[tailcfg.UserID]tailcfg.UserProfileView
	filter   *views.Slice[tailcfg.FilterRule]
}

func newSaver(cache *netmapcache.Cache, current func() *netmap.NetworkMap, onSaved func(error)) *saver {
	return &saver{
		cache:   cache,
		current: current,
		onSaved: onSaved,
		retry:   5 * time.Second,
		wake:    make(chan struct{}, 1),
	}
}

// idle reports whether the cache has everything.
func (s *saver) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.saving && s.pending.none()
}

func (c *changes) none() bool {
	return !c.full && len(c.peers) == 0 && len(c.profiles) == 0 && c.filter == nil
}

// note records a change and wakes run.
func (s *saver) note(record func(*changes)) {
	s.mu.Lock()
	record(&s.pending)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *saver) replaced() {
	s.note(func(c *changes) { *c = changes{full: true} })
}

func (s *saver) peersChanged(update []tailcfg.NodeView, remove []tailcfg.StableNodeID) {
	s.note(func(c *changes) {
		for _, id := range remove {
			mak.Set(&c.peers, id, tailcfg.NodeView{})
		}
		for _, p := range update {
			mak.Set(&c.peers, p.StableID(), p)
		}
	})
}

func (s *saver) profilesChanged(profiles map[tailcfg.UserID]tailcfg.UserProfileView) {
	s.note(func(c *changes) {
		for id, p := range profiles {
			mak.Set(&c.profiles, id, p)
		}
	})
}

func (s *saver) filterChanged(rules views.Slice[tailcfg.FilterRule]) {
	s.note(func(c *changes) { c.filter = &rules })
}

// run saves changes until ctx ends. What is pending then is lost; the next session's
// full map makes up for it.
func (s *saver) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		s.mu.Lock()
		c := s.pending
		s.pending, s.saving = changes{}, true
		s.mu.Unlock()

		err := s.save(ctx, c)
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		s.saving = false
		if err != nil {
			s.pending = changes{full: true} // some of the deltas may have been saved and some not
		}
		s.mu.Unlock()
		s.onSaved(err)
		if err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.retry):
		}
		s.replaced()
	}
}

func (s *saver) save(ctx context.Context, c changes) error {
	if c.full {
		// The running netmap already has the deltas in c.
		return s.cache.Store(ctx, s.current())
	}
	var update []tailcfg.NodeView
	var remove []tailcfg.StableNodeID
	for _, id := range slices.Sorted(maps.Keys(c.peers)) {
		if p := c.peers[id]; p.Valid() {
			update = append(update, p)
		} else {
			remove = append(remove, id)
		}
	}
	// Profiles first, so that no saved peer lacks its user's.
	var errs []error
	if len(c.profiles) > 0 {
		errs = append(errs, s.cache.UpdateUserProfiles(ctx, c.profiles))
	}
	if len(update)+len(remove) > 0 {
		errs = append(errs, s.cache.UpdatePeers(ctx, update, remove))
	}
	if c.filter != nil {
		errs = append(errs, s.cache.UpdatePacketFilter(ctx, *c.filter))
	}
	return errors.Join(errs...)
}
