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
	if err := next.checkSize(); err != nil {
		return err
	}
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
		ch, root := c.change(st, next)
		if unguarded {
			ch.Guard = nil
		}
		err = store.Commit(ctx, c.store, ch)
		if err == nil {
			c.keep(next, ch.Put[len(ch.Put)-1].Value, root)
			return nil
		} else if !errors.Is(err, store.ErrConflict) {
			return storeError(rootKey, err)
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
	if err := next.checkSize(); err != nil {
		return err
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
	} else {
		ch, root := c.change(st, next)
		err := store.Commit(ctx, c.store, ch)
		if err == nil {
			c.keep(next, ch.Put[len(ch.Put)-1].Value, root)
			return nil
		} else if !errors.Is(err, store.ErrConflict) {
			return storeError(rootKey, err)
		}
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
	wanted := keysOf(next)
	for key := range wanted {
		if !st.good[key] {
			return false
		}
	}
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
	guard := &store.Guard{Key: rootKey, Value: st.value}
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

// change returns the change that makes next of what is stored, and its root.
func (c *Cache) change(st *stored, next *snapshot) (store.Change, *format.Root) {
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
		Upstream:   st.upstream,
	}
	ch := store.Change{Guard: &store.Guard{Key: rootKey, Value: st.value, Absent: st.absent}}
	wanted, columns := keysOf(next), next.columns()
	root.Columns = make([]format.Column, 0, len(columns))
	for _, col := range columns {
		root.Columns = append(root.Columns, col.Column)
		if key := col.key(); !st.good[key] {
			ch.Put = append(ch.Put, store.Entry{Key: key, Value: col.bytes()})
		}
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
	ch.Put = append(ch.Put, store.Entry{Key: rootKey, Value: sealRoot(root)})
	for _, key := range st.removable {
		if !wanted[key] {
			ch.Remove = append(ch.Remove, key)
		}
	}
	return ch, root
}

// keep makes s, which is stored with the given root, the snapshot that c.last is.
func (c *Cache) keep(s *snapshot, value []byte, root *format.Root) {
	s.value, s.root, s.stamp = value, root, nil
	s.settle()
	c.last = s
}

// keysOf returns the keys of the columns of s.
func keysOf(s *snapshot) map[string]bool {
	if s.keys == nil {
		columns := s.columns()
		s.keys = make(map[string]bool, len(columns))
		for _, col := range columns {
			s.keys[col.key()] = true
		}
	}
	return s.keys
}

// storeError reports what the store said of the column or key called name.
func storeError(name string, cause error) error {
	return fmt.Errorf("netmapcache: %q: %w", name, cause)
}
