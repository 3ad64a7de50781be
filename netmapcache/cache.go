package netmapcache

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/netmapcache/netmapcache/store"
	"golang.org/x/sync/semaphore"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// Store is the interface to the persistent key-value storage that a [Cache]
// uses. See [store.Store].
type Store = store.Store

// A Cache keeps one [netmap.NetworkMap] in a [Store]. Use [Cache.Store] to
// replace it, the Update methods to change a part of it, and [Cache.Load]
// to read it.
//
// A Cache is safe for concurrent use; its calls take turns.
//
// A Cache retains what it is given and what it returned, without copying it:
// netmaps, and all that they refer to, are read-only values.
type Cache struct {
	store  store.Store
	owner  string
	maxAge time.Duration
	now    func() time.Time
	writer uint64

	// turn is taken by the call that is under way. It guards last.
	turn *semaphore.Weighted

	// last is what this Cache saw in the store last, or left there; nil if that is nothing. It saves work
	// where the guard of a commit proves that it is still so, and is never written back.
	last *observation

	behind   *writeBehind  // nil without WithWriteBehind
	interval time.Duration // of WithCommitInterval
	trace    *Trace        // nil without WithTrace
}

// An Option changes what [NewCache] makes.
type Option func(*Cache)

// WithOwner binds the cache to an owner, such as a profile or the URL of a
// control server: snapshots are stored with its name, and [Cache.Load] reports
// [ErrWrongOwner] for those that have another or none. A Cache with no owner, or
// an empty one, loads any.
func WithOwner(owner string) Option {
	return func(c *Cache) { c.owner = owner }
}

// WithMaxAge makes [Cache.Load] report [ErrExpired] for a snapshot that was
// last confirmed longer than d ago, or more than 24 hours in the future. If d is not positive, which is the
// default, snapshots don't expire.
func WithMaxAge(d time.Duration) Option {
	return func(c *Cache) { c.maxAge = d }
}

// NewCache returns a [Cache] of the netmap in s. It does not access s yet.
// It panics if s is nil. An option that is nil changes nothing.
func NewCache(s Store, opts ...Option) *Cache {
	if s == nil {
		panic("netmapcache: a non-nil Store is required")
	}
	c := &Cache{
		store:  adapt(s),
		now:    time.Now,
		writer: rand.Uint64(),
		turn:   semaphore.NewWeighted(1),
	}
	for _, opt := range opts {
		if opt != nil {
			opt(c)
		}
	}
	return c
}

// begin waits for the caller's turn, which ends when it calls end.
func (c *Cache) begin(ctx context.Context) (end func(), err error) {
	if c.turn == nil {
		return nil, errNotMade
	}
	if err := c.turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { c.turn.Release(1) }, nil
}

// Store records nm, in place of all that was cached before. A netmap that is
// nil, or was loaded from a cache, is not stored: then Store does nothing. One
// without a user, that is of a node that isn't logged in, is an error, and so is one that
// couldn't be loaded again, of which the error names the column.
//
// Storing an unchanged netmap writes nothing, except the time that [Info] calls ConfirmedAt, every ten
// minutes at most. Values of nm that are the very ones (NodeView == NodeView) of the last call are not looked into.
//
// After an error, what was stored before is still stored, unless the store
// fails to tell that it carried out a write.
//
// Of several caches that store a netmap in one store the last one wins. Store always gets through. Load
// and the Update methods give up when others committed a hundred times while they tried:
// their error then satisfies errors.Is(err, [store.ErrConflict]), nothing has
// changed, and the call can be repeated.
func (c *Cache) Store(ctx context.Context, nm *netmap.NetworkMap) error {
	if nm == nil || nm.Cached {
		return nil
	}
	if nm.User() == 0 {
		return errNoUser
	}
	given := *nm
	return c.write(ctx, storing(&given))
}

// UpdateSelfOnly records all of nm but Peers and UserProfiles, which stay as
// they are in the cache. Netmaps that [Cache.Store] doesn't store are treated alike.
// If nothing is cached yet, the result is a netmap without peers.
// Otherwise its errors are those of [Cache.UpdatePeers].
func (c *Cache) UpdateSelfOnly(ctx context.Context, nm *netmap.NetworkMap) error {
	if nm == nil || nm.Cached {
		return nil
	}
	if nm.User() == 0 {
		return errNoUser
	}
	given := *nm
	return c.write(ctx, updatingSelf(&given))
}

// UpdatePeers adds the peers of update to the cached netmap, each in place of
// the peer with the same stable ID if there is one, and removes the
// peers that remove names. A peer in both is removed.
//
// An update changes what it names, and nothing else, in whatever netmap is stored when it commits, also if
// another Cache has stored that since this one read or wrote anything. If no netmap is stored, or it can't be used,
// the error satisfies errors.Is(err, [ErrCacheNotAvailable]): [ErrEmpty], [ErrWrongOwner] for one
// of another owner, or another of those that Load reports. Then nothing changes.
//
// Over a store that isn't a [store.Committer], another writer may commit between the look at the
// root and the end of the update. Then one of the two changes may be lost, and so may columns that the other's root names.
func (c *Cache) UpdatePeers(ctx context.Context, update []tailcfg.NodeView, remove []tailcfg.StableNodeID) error {
	return c.write(ctx, updatingPeers(update, remove))
}

// UpdateUserProfiles adds the profiles of update to the cached netmap, each in
// place of the one with the same ID if there is one.
// Errors are those of [Cache.UpdatePeers].
func (c *Cache) UpdateUserProfiles(ctx context.Context, update map[tailcfg.UserID]tailcfg.UserProfileView) error {
	return c.write(ctx, updatingUsers(update))
}

// UpdatePacketFilter replaces the packet filter rules of the cached netmap.
// Errors are those of [Cache.UpdatePeers].
func (c *Cache) UpdatePacketFilter(ctx context.Context, rules views.Slice[tailcfg.FilterRule]) error {
	return c.write(ctx, updatingFilter(rules))
}

// write commits ch, or notes it to be committed.
func (c *Cache) write(ctx context.Context, ch *change) error {
	ch.calls = 1
	switch {
	case !enabled:
		return nil
	case c.behind != nil:
		return c.behind.note(ch)
	}
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.commit(ctx, ch)
}
