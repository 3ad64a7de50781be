package netmapcache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/tailcfg"
)

const (
	// confirmEvery is the shortest time between two roots that only say that
	// the snapshot is still current.
	confirmEvery = 10 * time.Minute

	// attempts is how often the Cache tries something that other writers can outrun, by
	// committing during the attempt. Beside seven writers that are equally fast and do
	// nothing but commit, all attempts fail with a probability of (7/8)^100, 1 in 600,000.
	attempts = 100
)

// An observation is what a Cache saw in its store, or left there.
type observation struct {
	value     []byte       // the value of the root key
	absent    bool         // there is no root
	unguarded bool         // the commit must do without a guard
	root      *format.Root // value, decoded; nil if it isn't a root
	base      *snapshot    // the snapshot, if it is known

	good      map[string]bool // the keys of columns that are stored and whole
	removable []string        // the keys that a commit removes unless its root names them
	upstream  bool            // whether keys of upstream's layout may be among them
}

// commit applies ch to the stored snapshot, stores the result, and calls the trace.
func (c *Cache) commit(ctx context.Context, ch *change) error {
	began := time.Now()
	written, outrun, err := c.tryCommit(ctx, ch)
	if len(written.Put) > 0 {
		c.behind.wrote(began)
	}
	c.trace.tell(written, CommitInfo{Err: err, Calls: ch.calls, Outrun: outrun, Duration: time.Since(began)})
	return err
}

// tryCommit observes what is stored, plans what to write, and applies the plan under the guard that the root
// is still the same. If it isn't, tryCommit begins again. After the last attempt it reports errOutrun, and nothing has
// changed. If ch replaces the whole snapshot, the last attempt has no guard. written is what it has written.
func (c *Cache) tryCommit(ctx context.Context, ch *change) (written store.Change, outrun int, err error) {
	for ; outrun < attempts; outrun++ {
		seen, err := c.observe(ctx, ch, outrun)
		if err != nil {
			return written, outrun, err
		}
		p, err := c.plan(seen, ch)
		if err != nil {
			return written, outrun, err
		}
		switch err := c.apply(ctx, p); {
		case err == nil:
			return p.change, outrun, nil
		case !errors.Is(err, store.ErrConflict):
			return written, outrun, err
		}
	}
	return written, outrun, errOutrun
}

// observe finds out what is stored. The first attempt of an update assumes that it is what this Cache saw
// last. If that is no longer true, the guard of the commit fails, and the next attempt reads the snapshot.
func (c *Cache) observe(ctx context.Context, ch *change, attempt int) (*observation, error) {
	if ch.replace != nil {
		seen, err := c.observeKeys(ctx)
		if err == nil && attempt == attempts-1 {
			seen.unguarded = true
		}
		return seen, err
	}
	seen := c.last
	if seen == nil || attempt > 0 {
		var err error
		_, seen, err = c.readStored(ctx)
		switch {
		case isNotFound(err):
			seen = &observation{absent: true}
		case errors.Is(err, ErrEmpty): // Clear removes upstream's layout
			seen = &observation{value: []byte(cleared), upstream: true}
		case err != nil:
			return nil, err
		}
	}
	if !seen.upstream {
		return seen, nil
	}
	listed := *seen
	return &listed, c.list(ctx, &listed, seen.good)
}

// observeKeys reads the root and lists the keys.
func (c *Cache) observeKeys(ctx context.Context) (*observation, error) {
	seen := &observation{}
	value, err := c.store.Load(ctx, rootKey)
	switch {
	case err == nil:
		seen.value = value
		seen.root, _ = openRoot(value) // a root that can't be read is replaced
		seen.upstream = isUpstream(value) || seen.root != nil && seen.root.Upstream
	case errors.Is(err, ErrKeyNotFound):
		seen.absent = true
	case errors.Is(err, store.ErrDamaged):
		seen.unguarded = true
	default:
		return nil, storeError(rootKey, err)
	}
	var known map[string]bool
	if c.last != nil {
		seen.base, known = c.last.base, c.last.good
	}
	return seen, c.list(ctx, seen, known)
}

// list lists the stored keys for seen. A column is good if it is stored, the root names it, and it is
// in known, the columns that this Cache has read or written. The guard of a commit doesn't protect columns
// that the root doesn't name: another writer may remove them before the commit.
func (c *Cache) list(ctx context.Context, seen *observation, known map[string]bool) error {
	named := make(map[string]bool)
	if seen.root != nil {
		for _, col := range seen.root.Columns {
			named[columnKey(col)] = true
		}
	}
	// Only in a store that commits atomically are columns that no root names orphans.
	// In another store a second writer's root may be about to name them.
	_, sweep := c.store.(store.Committer)
	seen.good, seen.removable = make(map[string]bool), nil
	upstreamFound := false
	for key, err := range c.store.List(ctx, "") {
		switch {
		case err != nil:
			return storeError("list of keys", err)
		case isColumnKey(key):
			if known[key] && named[key] {
				seen.good[key] = true
			}
			if sweep || named[key] {
				seen.removable = append(seen.removable, key)
			}
		case seen.upstream && isUpstreamKey(key):
			seen.removable = append(seen.removable, key)
			upstreamFound = true
		}
	}
	seen.upstream = upstreamFound
	return nil
}

// A plan is a change to apply to the store, and what the store holds afterwards.
type plan struct {
	change store.Change
	then   *observation
}

// plan returns the writes that apply ch to what was seen in the store. It reports an error if there
// is nothing to update, or if a column couldn't be loaded again.
func (c *Cache) plan(seen *observation, ch *change) (*plan, error) {
	next, err := ch.next(seen.base)
	if err != nil {
		return nil, err
	}
	p := &plan{then: &observation{base: next.withoutBytes(), good: make(map[string]bool)}}
	if !seen.unguarded {
		p.change.Guard = &store.Guard{Key: rootKey, Value: seen.value, Absent: seen.absent}
	}
	root := c.newRoot(seen, next, ch)
	for _, col := range next.columns() {
		if !seen.good[col.key] || seen.unguarded {
			if col.data == nil { // encode it again; a build of another version may have encoded it differently
				col = newColumn(col.Column, col.encode(nil))
			}
			if err := check(col); err != nil {
				return nil, err
			}
			p.change.Put = append(p.change.Put, store.Entry{Key: col.key, Value: col.data})
		}
		p.then.good[col.key] = true
		p.then.removable = append(p.then.removable, col.key)
		root.Columns = append(root.Columns, col.Column)
	}
	if !seen.unguarded {
		for _, key := range seen.removable {
			if !p.then.good[key] {
				p.change.Remove = append(p.change.Remove, key)
			}
		}
	}
	if err := codec.CheckRoot(root); err != nil {
		return nil, storeError(rootKey, err)
	}
	if len(p.change.Put) == 0 && len(p.change.Remove) == 0 && ch.stamp == nil && isCurrent(seen.root, root) {
		p.then.value, p.then.root = seen.value, seen.root
		return p, nil
	}
	if seen.root != nil && sameContent(seen.root, root) && ch.stamp == nil {
		root.Saved = seen.root.Saved
	}
	p.then.value, p.then.root = sealRoot(root), root
	p.then.upstream = root.Upstream
	p.change.Put = append(p.change.Put, store.Entry{Key: rootKey, Value: p.then.value})
	return p, nil
}

// check reports why col couldn't be loaded again. It uses the code that checks columns when they are loaded.
func check(col *column) error {
	err := codec.Check(col.Kind, col.data)
	if err == nil && col.Kind == format.KindFilter {
		var rules []tailcfg.FilterRule
		if rules, err = codec.DecodeFilter(col.data); err == nil {
			err = checkFilter(rules)
		}
	}
	if err != nil {
		return storeError(columnName(col.Column), fmt.Errorf("can't be stored: %w", err))
	}
	return nil
}

// newRoot returns the root of next, without its columns. It will replace the root that was seen.
func (c *Cache) newRoot(seen *observation, next *snapshot, ch *change) *format.Root {
	now := c.now().UTC().Round(0)
	root := &format.Root{
		Major:      format.Major,
		Generation: 1,
		Writer:     c.writer,
		Saved:      now,
		Confirmed:  now,
		Owner:      c.owner,
		PeerParts:  uint64(len(next.peers.parts)),
		UserParts:  uint64(len(next.users.parts)),
		Upstream:   seen.upstream,
	}
	if seen.root != nil {
		root.Generation += seen.root.Generation
		if ch.replace == nil && c.owner == "" {
			root.Owner = seen.root.Owner // an update doesn't change it
		}
	}
	if ch.stamp != nil {
		root.Saved, root.Confirmed, root.Owner = ch.stamp.Saved, ch.stamp.Confirmed, ch.stamp.Owner
	}
	return root
}

// sameContent reports whether two roots name the same content.
func sameContent(a, b *format.Root) bool {
	return a.PeerParts == b.PeerParts && a.UserParts == b.UserParts && slices.Equal(a.Columns, b.Columns)
}

// isCurrent reports whether next says the same as stored, which may be nil, apart from
// a time of confirmation that differs by no more than confirmEvery.
func isCurrent(stored, next *format.Root) bool {
	return stored != nil && sameContent(stored, next) && stored.Owner == next.Owner && stored.Upstream == next.Upstream &&
		next.Confirmed.Sub(stored.Confirmed).Abs() <= confirmEvery
}

// apply applies p, and remembers what is stored afterwards. It reports [store.ErrConflict] if the stored root isn't the
// one that the plan was made for. If p writes nothing and another Cache wrote the root, an empty commit makes
// the root durable: that Cache may have been killed when it had just become visible.
func (c *Cache) apply(ctx context.Context, p *plan) error {
	var err error
	if len(p.change.Put) == 0 && p.then.root.Writer == c.writer {
		err = p.change.Guard.Check(c.store.Load(ctx, rootKey))
	} else {
		err = store.Commit(ctx, c.store, p.change)
	}
	if err != nil {
		return storeError(rootKey, err)
	}
	c.last = p.then
	return nil
}
