package ipncache

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnlocal"
)

// Clear removes the cached netmaps of all profiles of lb's current user, as LocalBackend.ClearNetmapCache does for
// Tailscale's own cache. When the netmap of the current profile changes, it is saved again. Clear must
// not be called from hooks. It is an error if no extension of this package follows lb, or if lb is shut down.
func Clear(ctx context.Context, lb *ipnlocal.LocalBackend) error {
	e, ok := ipnlocal.GetExt[*extension](lb)
	if !ok {
		return errors.New("ipncache: the backend's netmaps are not kept")
	}
	c := clearing{ctx, make(chan error, 1)}
	select {
	case e.clears <- c:
		return <-c.done
	case <-e.done:
		return errors.New("ipncache: the backend is shut down")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// clearing is a call of Clear.
type clearing struct {
	ctx  context.Context
	done chan error
}

// clear empties the caches of all profiles, including those that were not in use yet.
func (w *worker) clear(ctx context.Context) error {
	var errs []error
	failed := func(profile ipn.ProfileID, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("clear the netmap of profile %q: %w", profile, err))
		}
	}
	opened := map[ipn.ProfileID]bool{}
	for id, c := range w.caches {
		opened[id.profile] = true
		failed(id.profile, w.empty(ctx, c))
	}
	for _, p := range w.lb.ListProfiles() {
		if !opened[p.ID()] {
			s, err := w.opts.Open(ctx, w.lb, p.ID())
			if err == nil && s != nil {
				err = netmapcache.NewCache(s).Clear(ctx)
			}
			failed(p.ID(), err)
		}
	}
	return errors.Join(errs...)
}

// empty removes what is stored in c, and what it has noted.
func (w *worker) empty(ctx context.Context, c *cache) error {
	if err := c.Clear(ctx); err != nil {
		return err
	}
	c.cleared, c.unsaved = true, 0
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes.commits = slices.DeleteFunc(w.notes.commits, func(done commit) bool { return done.cache == c })
	return nil
}
