package netmapcache

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/netmapcache/netmapcache/store"
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

	// turn holds a token while no call is under way. It guards last.
	turn chan struct{}

	// last is the snapshot that this Cache wrote or read last, and all of whose
	// columns it therefore knows to be good; nil if there is none.
	last *snapshot
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
// last confirmed longer than d ago. If d is not positive, which is the
// default, snapshots don't expire.
func WithMaxAge(d time.Duration) Option {
	return func(c *Cache) { c.maxAge = d }
}

// NewCache returns a [Cache] of the netmap in s. It does not access s yet.
// It panics if s is nil.
func NewCache(s Store, opts ...Option) *Cache {
	if s == nil {
		panic("netmapcache: a non-nil Store is required")
	}
	c := &Cache{
		store:  s,
		now:    time.Now,
		writer: rand.Uint64(),
		turn:   make(chan struct{}, 1),
	}
	c.turn <- struct{}{}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// begin waits for the caller's turn, which ends when it calls end.
func (c *Cache) begin(ctx context.Context) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-c.turn:
		return func() { c.turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Store records nm, in place of all that was cached before. A netmap that is
// nil, or was loaded from a cache, is not stored: then Store does nothing. One
// without a user, that is of a node that isn't logged in, is an error.
//
// If nm is what is stored already, nothing is written, except that every ten
// minutes the time is that [Info] calls ConfirmedAt. Parts of nm whose values
// are the very ones (NodeView == NodeView) of the last call are not looked into.
//
// After an error, what was stored before is still stored, unless the store
// fails to tell that it carried out a write.
//
// Of several caches on one store the last to commit wins. Store always gets through. Load
// and the Update methods give up when others committed a hundred times while they tried:
// their error then satisfies errors.Is(err, [store.ErrConflict]), nothing has
// changed, and the call can be repeated.
func (c *Cache) Store(ctx context.Context, nm *netmap.NetworkMap) error {
	return c.record(ctx, nm, func() error { return c.commit(ctx, c.last.with(nm), anything) })
}

// UpdateSelfOnly records all of nm but Peers and UserProfiles, which stay as
// they are in the cache. Netmaps that [Cache.Store] doesn't store are treated alike.
// If nothing is cached yet, the result is a netmap without peers.
// If what is cached can't be used, UpdateSelfOnly reports why, as [Cache.Load]
// would, and changes nothing.
func (c *Cache) UpdateSelfOnly(ctx context.Context, nm *netmap.NetworkMap) error {
	return c.record(ctx, nm, func() error {
		for range attempts {
			base, err := c.base(ctx)
			if err == nil {
				err = c.commitUpdate(ctx, base.withSelf(nm))
			}
			if err == errNoBase { // nothing was cached, or another writer has removed it
				err = c.commit(ctx, (*snapshot)(nil).withSelf(nm), nothing)
			}
			if err != errBase { // which another writer has stored meanwhile
				return err
			}
		}
		return errOutrun
	})
}

// record has commit store nm, if it is a netmap to be stored, as [Cache.Store] says.
func (c *Cache) record(ctx context.Context, nm *netmap.NetworkMap, commit func() error) error {
	if !enabled || nm == nil || nm.Cached {
		return nil
	}
	if nm.User() == 0 {
		return errNoUser
	}
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return commit()
}

// UpdatePeers adds the peers of update to the cached netmap, each in place of
// the peer with the same stable ID if there is one, and removes the
// peers that remove names. A peer in both is removed.
// If no netmap is cached, or it can't be used, UpdatePeers reports an error
// that satisfies errors.Is(err, [ErrCacheNotAvailable]), and changes nothing.
func (c *Cache) UpdatePeers(ctx context.Context, update []tailcfg.NodeView, remove []tailcfg.StableNodeID) error {
	return c.update(ctx, func(base *snapshot) *snapshot { return base.withPeers(update, remove) })
}

// UpdateUserProfiles adds the profiles of update to the cached netmap, each in
// place of the one with the same ID if there is one.
// Errors are those of [Cache.UpdatePeers].
func (c *Cache) UpdateUserProfiles(ctx context.Context, update map[tailcfg.UserID]tailcfg.UserProfileView) error {
	return c.update(ctx, func(base *snapshot) *snapshot { return base.withUsers(update) })
}

// UpdatePacketFilter replaces the packet filter rules of the cached netmap.
// Errors are those of [Cache.UpdatePeers].
func (c *Cache) UpdatePacketFilter(ctx context.Context, rules views.Slice[tailcfg.FilterRule]) error {
	return c.update(ctx, func(base *snapshot) *snapshot { return base.withFilter(rules) })
}

// update commits what apply makes of the cached snapshot.
func (c *Cache) update(ctx context.Context, apply func(base *snapshot) *snapshot) error {
	if !enabled {
		return nil
	}
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	base, err := c.base(ctx)
	if err != nil {
		return err
	}
	return c.commitUpdate(ctx, apply(base))
}
