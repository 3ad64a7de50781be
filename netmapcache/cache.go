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

// A Cache keeps one [netmap.NetworkMap] in a [Store]. [Cache.Store]
// replaces it, the Update methods change some of it, and [Cache.Load]
// reads it. [NewCache] makes a Cache.
//
// A Cache is safe for concurrent use. Its calls take turns.
//
// A Cache retains the netmaps that it is given and returns, without copying them.
// Neither they nor what they refer to may be changed.
type Cache struct {
	store  store.Store
	owner  string
	maxAge time.Duration
	now    func() time.Time
	writer uint64

	// turn is taken by the call that is under way. It guards last.
	turn *semaphore.Weighted

	// last is what this Cache last saw in the store, or left there. It is nil if that is unknown or nothing.
	// It saves work if the guard of a commit proves it current, and is never written back.
	last *observation

	behind   *writeBehind  // nil without WithWriteBehind
	interval time.Duration // of WithCommitInterval
	trace    *Trace        // nil without WithTrace
}

// An Option changes what [NewCache] makes.
type Option func(*Cache)

// WithOwner binds the cache to an owner, such as a profile or the URL of a
// control server. The cache stores snapshots with this name, and [Cache.Load] reports
// [ErrWrongOwner] for a snapshot that has another owner or none. A Cache without this
// option, or with an empty owner, loads any snapshot.
func WithOwner(owner string) Option {
	return func(c *Cache) { c.owner = owner }
}

// WithMaxAge makes [Cache.Load] report [ErrExpired] for a snapshot that was
// last confirmed longer than d ago, or more than 24 hours in the future. By default,
// and if d is not positive, snapshots don't expire.
func WithMaxAge(d time.Duration) Option {
	return func(c *Cache) { c.maxAge = d }
}

// WithCommitter makes [NewCache] panic if its store isn't a [store.Committer]. It is for programs
// that rely on atomic commits and wrap their store: a wrapper easily loses that ability.
func WithCommitter() Option {
	return func(c *Cache) {
		if _, ok := c.store.(store.Committer); !ok {
			panic("netmapcache: the Store is no store.Committer")
		}
	}
}

// NewCache returns a [Cache] of the netmap in s. It does not access s yet.
// It panics if s is nil, and ignores nil options.
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

// begin waits for the caller's turn. The caller ends it by calling end.
func (c *Cache) begin(ctx context.Context) (end func(), err error) {
	if c.turn == nil {
		return nil, errNotMade
	}
	if err := c.turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { c.turn.Release(1) }, nil
}

// Store stores nm in place of all that was cached before. If nm is nil or was
// loaded from a cache, Store does nothing. Store reports an error if nm has no user,
// which means that the node isn't logged in, or if nm couldn't be loaded again. In the
// latter case the error names the column.
//
// If nm is unchanged, Store writes nothing, except the time that [Info] calls ConfirmedAt, every ten
// minutes at most. Store doesn't look into values of nm that are identical (NodeView == NodeView) to those of the last call.
//
// After an error, what was stored before is still stored, unless the store
// carried out a write and failed to report that.
//
// If several caches share a store, the last Store wins, and Store never gives up. Load
// and the Update methods give up if other writers commit during each of a hundred attempts.
// Their error then satisfies errors.Is(err, [store.ErrConflict]), nothing has
// changed, and the caller can repeat the call.
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

// UpdateSelfOnly stores all of nm except Peers and UserProfiles, which stay as
// they are in the cache. It treats a nil or cached nm, and one without a user, as [Cache.Store] does.
// If nothing is cached yet, it stores a netmap without peers.
// Its other errors are those of [Cache.UpdatePeers].
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

// UpdatePeers adds the peers of update to the cached netmap, and removes the peers whose stable IDs are in
// remove. An added peer replaces the peer with the same stable ID. A peer in both is removed.
//
// An update changes what it names, and nothing else, in whatever netmap is stored when it commits, even if
// another Cache has stored that netmap since this Cache last read or wrote. If no netmap is stored, or it can't be used,
// the error satisfies errors.Is(err, [ErrCacheNotAvailable]), and nothing changes. The sentinel is [ErrEmpty], [ErrWrongOwner]
// for a netmap of another owner, or another one of those that Load reports.
//
// If the store isn't a [store.Committer], another writer may commit between the check of the
// root and the end of the update. Then one of the two changes may be lost, and columns that the other writer's root names may be removed.
func (c *Cache) UpdatePeers(ctx context.Context, update []tailcfg.NodeView, remove []tailcfg.StableNodeID) error {
	return c.write(ctx, updatingPeers(update, remove))
}

// UpdateUserProfiles adds the profiles of update to the cached netmap. An added
// profile replaces the profile with the same ID.
// Errors are those of [Cache.UpdatePeers].
func (c *Cache) UpdateUserProfiles(ctx context.Context, update map[tailcfg.UserID]tailcfg.UserProfileView) error {
	return c.write(ctx, updatingUsers(update))
}

// UpdatePacketFilter replaces the packet filter rules of the cached netmap.
// Errors are those of [Cache.UpdatePeers].
func (c *Cache) UpdatePacketFilter(ctx context.Context, rules views.Slice[tailcfg.FilterRule]) error {
	return c.write(ctx, updatingFilter(rules))
}

// write commits ch, or notes it if writing behind.
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
