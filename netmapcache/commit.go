package netmapcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
)

const (
	// confirmEvery is how often, at most, the root is written only to say that
	// the snapshot is still current.
	confirmEvery = 10 * time.Minute

	// attempts is how often something is tried that other writers can outrun.
	// Each time, a commit of theirs has succeeded. Beside seven that are equally fast and do
	// nothing but commit, to be outrun so often has a chance of (7/8)^100, 1 in 600,000.
	attempts = 100
)

// replaces tells what a commit may replace.
type replaces int

const (
	anything  replaces = iota // whatever is stored, if anything
	aSnapshot                 // a snapshot, usable or not: else the commit fails with errNoBase
	nothing                   // no snapshot: else it fails with errBase
)

// stored is what a store holds, as far as a commit needs to know.
type stored struct {
	value  []byte       // of the root key
	absent bool         // whether there is none
	lost   bool         // whether the store has one that it can't give back
	root   *format.Root // what value holds, nil if it isn't a root

	good      map[string]bool // the keys of columns that are there and whole
	removable []string        // the keys to remove if the new root doesn't name them
	upstream  bool            // whether keys of upstream's layout are among them
}

// commit makes next the stored snapshot, if that replaces what over allows. Outrun
// too often it reports errOutrun and has changed nothing, unless it may replace
// anything: then it does without a guard in the end.
func (c *Cache) commit(ctx context.Context, next *snapshot, over replaces) error {
	for attempt := range attempts {
		st, err := c.examine(ctx)
		if err != nil {
			return err
		}
		empty := st.absent || string(st.value) == cleared
		switch {
		case over == aSnapshot && empty:
			c.last = nil
			return errNoBase
		case over == nothing && !empty:
			return errBase
		}
		// Without a root to guard, or outrun so often, write everything and
		// remove nothing: that is right whatever the others do meanwhile.
		unguarded := st.lost || over == anything && attempt == attempts-1
		if unguarded {
			st.good, st.removable = nil, nil
		}
		if c.unchanged(st, next) {
			if err := c.confirm(ctx, st); errors.Is(err, store.ErrConflict) {
				continue
			} else if err != nil {
				return storeError(rootKey, err)
			}
			c.keep(next, st.value, st.root)
			return nil
		}
		guard := st.guard()
		if unguarded {
			guard = nil
		}
		if err := c.replace(ctx, st, guard, next); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return errOutrun
}

// commitUpdate makes next, which was made of c.last, the stored snapshot. It
// first takes for granted that the store is as c.last left it. If there is no
// snapshot in the store any more it writes none, and returns errNoBase.
func (c *Cache) commitUpdate(ctx context.Context, next *snapshot) error {
	if c.last.root == nil { // upstream's layout
		return c.commit(ctx, next, aSnapshot)
	}
	good := keysOf(c.last)
	st := &stored{value: c.last.value, root: c.last.root, good: good}
	for key := range good {
		st.removable = append(st.removable, key)
	}
	if c.unchanged(st, next) {
		err := c.confirm(ctx, st)
		switch {
		case err == nil:
			c.keep(next, st.value, st.root)
			return nil
		case !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrDamaged):
			return storeError(rootKey, err)
		}
	} else if err := c.replace(ctx, st, st.guard(), next); !errors.Is(err, store.ErrConflict) {
		return err
	}
	return c.commit(ctx, next, aSnapshot)
}

// examine looks at what is stored. A column counts as good if it is there, the
// root names it, and this Cache read or wrote it. Of columns that the root doesn't name
// the guard of a commit tells nothing: another writer may remove them before it.
func (c *Cache) examine(ctx context.Context) (*stored, error) {
	st := &stored{good: make(map[string]bool)}
	value, err := c.store.Load(ctx, rootKey)
	switch {
	case err == nil:
		st.value = value
		if c.last != nil && c.last.root != nil && bytes.Equal(value, c.last.value) {
			st.root = c.last.root
		} else {
			st.root, _ = openRoot(value) // what can't be read is replaced
		}
		st.upstream = isUpstream(value) || st.root != nil && st.root.Upstream
	case errors.Is(err, ErrKeyNotFound):
		st.absent = true
	case errors.Is(err, store.ErrDamaged):
		st.lost = true
	default:
		return nil, storeError(rootKey, err)
	}

	// Only a store that commits atomically is cleared of columns that no root
	// names: over another, they may be what a second writer is about to name.
	_, sweep := c.store.(store.Committer)
	var known map[string]bool
	if c.last != nil {
		known = keysOf(c.last)
	}
	named := known
	if st.root == nil || c.last == nil || st.root != c.last.root {
		named = make(map[string]bool)
		if st.root != nil {
			for _, col := range st.root.Columns {
				named[columnKey(col)] = true
			}
		}
	}
	upstreamFound := false
	for key, err := range c.store.List(ctx, "") {
		switch {
		case err != nil:
			return nil, storeError("list of keys", err)
		case isColumnKey(key):
			if known[key] && named[key] {
				st.good[key] = true
			}
			if sweep || named[key] {
				st.removable = append(st.removable, key)
			}
		case st.upstream && isUpstreamKey(key):
			st.removable = append(st.removable, key)
			upstreamFound = true
		}
	}
	st.upstream = upstreamFound
	return st, nil
}

// unchanged reports whether next is stored already, and nothing is left to do.
func (c *Cache) unchanged(st *stored, next *snapshot) bool {
	root, last := st.root, c.last
	if next.stamp != nil || last == nil || root == nil || !bytes.Equal(st.value, last.value) || root.Owner != c.owner {
		return false
	}
	if age := c.now().Sub(root.Confirmed); age > confirmEvery || age < -confirmEvery {
		return false
	}
	for _, col := range next.columns() {
		if col.Size == 0 || !st.good[col.key()] {
			return false
		}
	}
	wanted := keysOf(next)
	for _, key := range st.removable {
		if !wanted[key] {
			return false
		}
	}
	return sameShape(root, next)
}

// confirm reports [store.ErrConflict] if st isn't stored any more. If another Cache wrote
// it, it also sees to it that it is durable: the writer may have been killed
// when it had just become visible.
func (c *Cache) confirm(ctx context.Context, st *stored) error {
	guard := st.guard()
	if st.root.Writer == c.writer {
		return guard.Check(c.store.Load(ctx, rootKey))
	}
	return store.Commit(ctx, c.store, store.Change{Guard: guard})
}

// sameShape reports whether root tells the same of s as a new root would,
// of what it holds besides columns.
func sameShape(root *format.Root, s *snapshot) bool {
	return root.PeerParts == uint64(len(s.peers.parts)) && root.UserParts == uint64(len(s.users.parts))
}

// guard is the condition that st is still what is stored.
func (st *stored) guard() *store.Guard {
	return &store.Guard{Key: rootKey, Value: st.value, Absent: st.absent}
}

// replace makes next of what is stored, if guard holds, and keeps it.
func (c *Cache) replace(ctx context.Context, st *stored, guard *store.Guard, next *snapshot) error {
	var value []byte
	var root *format.Root
	err := store.CommitStream(ctx, c.store, guard, func(put func(store.Entry) error) (remove []string, err error) {
		if err := next.putColumns(st.good, put); err != nil {
			return nil, err
		}
		if root == nil { // the same each time, so that the store can tell whether it is there already
			root = c.newRoot(st, next)
			value = sealRoot(root)
		}
		wanted := keysOf(next)
		for _, key := range st.removable {
			if !wanted[key] {
				remove = append(remove, key)
			}
		}
		return remove, put(store.Entry{Key: rootKey, Value: value})
	})
	if err != nil {
		return storeError(rootKey, err)
	}
	c.keep(next, value, root)
	return nil
}

// newRoot returns the root of next, which replaces st.
func (c *Cache) newRoot(st *stored, next *snapshot) *format.Root {
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
		Columns:    make([]format.Column, 0, len(next.columns())),
		Upstream:   st.upstream,
	}
	for _, col := range next.columns() {
		root.Columns = append(root.Columns, col.Column)
	}
	if st.root != nil {
		root.Generation += st.root.Generation
		if sameShape(st.root, next) && slices.Equal(st.root.Columns, root.Columns) {
			root.Saved = st.root.Saved
		}
	}
	if next.stamp != nil {
		root.Saved, root.Confirmed, root.Owner = next.stamp.Saved, next.stamp.Confirmed, next.stamp.Owner
	}
	return root
}

// keep makes s, which is stored with the given root, the snapshot that c.last is.
func (c *Cache) keep(s *snapshot, value []byte, root *format.Root) {
	s.value, s.root, s.stamp = value, root, nil
	s.settle()
	c.last = s
}

// keysOf returns the keys of the columns of s that were encoded.
func keysOf(s *snapshot) map[string]bool {
	if s.keys != nil {
		return s.keys
	}
	columns := s.columns()
	keys := make(map[string]bool, len(columns))
	for _, col := range columns {
		if col.Size > 0 {
			keys[col.key()] = true
		}
	}
	if len(keys) == len(columns) {
		s.keys = keys
	}
	return keys
}

// storeError reports what the store said of the column or key called name.
func storeError(name string, cause error) error {
	return fmt.Errorf("netmapcache: %q: %w", name, cause)
}
