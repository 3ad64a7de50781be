package netmapcache

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// maxFuture is how far in the future, by the Cache's clock, a snapshot may have been confirmed
// under [WithMaxAge]. A clock may be set to another time zone, or be wrong for a while.
const maxFuture = 24 * time.Hour

// Load returns the cached netmap, with the field Cached set. If there is no usable
// netmap, the error satisfies errors.Is(err, [ErrCacheNotAvailable]),
// and another sentinel says why: [ErrEmpty], [ErrCorrupt], [ErrWrongOwner], [ErrExpired] or [ErrFormat].
// Any other error comes from the store, or is the [store.ErrConflict] that [Cache.Store]
// describes.
//
// Load rebuilds the fields that follow from others as a live client builds them: NodeKey, AllCaps,
// PacketFilter and the display names of nodes.
func (c *Cache) Load(ctx context.Context) (*netmap.NetworkMap, error) {
	if !enabled {
		return nil, ErrCacheNotAvailable
	}
	end, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var nm *netmap.NetworkMap
	err = c.withView(ctx, func(s store.Store, noted bool) (err error) {
		if noted {
			nm, _, err = c.read(ctx, s)
		} else {
			nm, _, err = c.readStored(ctx)
		}
		return err
	})
	return nm, err
}

// readStored reads the stored snapshot, returns its netmap, and remembers what it saw.
func (c *Cache) readStored(ctx context.Context) (*netmap.NetworkMap, *observation, error) {
	nm, seen, err := c.read(ctx, c.store)
	if err == nil || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrEmpty) {
		c.last = seen // nil after an error: what the Cache remembered is wrong then
	}
	return nm, seen, err
}

// read reads the snapshot in s and returns its netmap.
func (c *Cache) read(ctx context.Context, s store.Store) (nm *netmap.NetworkMap, seen *observation, err error) {
	err = settled(ctx, s, func(value []byte) (err error) {
		if isUpstream(value) {
			nm, seen, err = c.readUpstream(ctx, s, value)
		} else {
			nm, seen, err = c.readColumns(ctx, s, value)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return nm, seen, nil
}

// settled calls read with the value of the root in s. If read reports ErrCorrupt and the root has changed
// meanwhile, another writer has replaced the snapshot, and settled calls read again.
func settled(ctx context.Context, s store.Store, read func(root []byte) error) error {
	value, err := loadRoot(ctx, s)
	for range attempts {
		if err != nil {
			return err
		}
		readErr := read(value)
		if !errors.Is(readErr, ErrCorrupt) {
			return readErr
		}
		var again []byte
		again, err = loadRoot(ctx, s)
		if err == nil && bytes.Equal(again, value) {
			return readErr
		}
		value = again
	}
	return errOutrun
}

// loadRoot returns the value of the root key in s.
func loadRoot(ctx context.Context, s store.Store) ([]byte, error) {
	value, err := s.Load(ctx, rootKey)
	switch {
	case isNotFound(err):
		return nil, fmt.Errorf("netmapcache: %w: %w", ErrEmpty, err)
	case err != nil:
		return nil, loadError(rootKey, err)
	case string(value) == cleared:
		return nil, fmt.Errorf("netmapcache: %w", ErrEmpty)
	}
	return value, nil
}

// loadError returns the error for the column or key called name, which the store couldn't load.
func loadError(name string, cause error) error {
	if errors.Is(cause, store.ErrDamaged) {
		return corruptBy(name, cause)
	}
	return storeError(name, cause)
}

// readColumns reads the snapshot in s whose root is value.
func (c *Cache) readColumns(ctx context.Context, s store.Store, value []byte) (*netmap.NetworkMap, *observation, error) {
	root, err := openRoot(value)
	if err != nil {
		return nil, nil, err
	}
	if c.owner != "" && root.Owner != c.owner {
		return nil, nil, fmt.Errorf("netmapcache: %w", ErrWrongOwner)
	}
	if age := c.now().Sub(root.Confirmed); c.maxAge > 0 && (age > c.maxAge || age < -maxFuture) {
		return nil, nil, fmt.Errorf("netmapcache: %w", ErrExpired)
	}

	r := newReader(root)
	seen := &observation{value: value, root: root, base: r.snapshot, good: make(map[string]bool), upstream: root.Upstream}
	for _, col := range root.Columns {
		seen.removable = append(seen.removable, columnKey(col))
		seen.good[columnKey(col)] = true
	}
	i := 0
	for data, err := range store.LoadMany(ctx, s, seen.removable) {
		col := root.Columns[i]
		i++
		if err := r.take(col, data, err); err != nil {
			return nil, nil, err
		}
	}
	if i < len(root.Columns) {
		return nil, nil, corrupt(columnName(root.Columns[i]), "missing")
	}
	nm, err := r.netmap()
	return nm, seen, err
}

// A reader builds a snapshot and its netmap from columns, one after the other.
type reader struct {
	root     *format.Root
	snapshot *snapshot
	nm       *netmap.NetworkMap
	peers    []partOf[tailcfg.NodeView]
	users    []partOf[user]
}

// A partOf is a part of a list, with its column.
type partOf[T any] struct {
	elements []T
	column   *column
}

func newReader(root *format.Root) *reader {
	return &reader{root: root, snapshot: &snapshot{}, nm: &netmap.NetworkMap{Cached: true}}
}

// netmap completes the snapshot and returns its netmap. The caller has taken all columns, so there are as many peers and users as
// the root says. Only this justifies allocating as many parts.
func (r *reader) netmap() (*netmap.NetworkMap, error) {
	r.snapshot.peers = listOf(r.peers, r.root.PeerParts)
	r.snapshot.users = listOf(r.users, r.root.UserParts)
	r.nm.Peers = sortedPeers(r.snapshot.peers.parts)
	if r.root.UserParts > 0 {
		r.nm.UserProfiles = make(map[tailcfg.UserID]tailcfg.UserProfileView)
		for _, part := range r.snapshot.users.parts {
			for _, u := range part {
				r.nm.UserProfiles[u.id] = u.profile
			}
		}
	}
	if err := derive(r.nm); err != nil {
		return nil, err
	}
	return r.nm, nil
}

// listOf returns a list of n parts. Those in parts are in their places, and the others are empty.
func listOf[T comparable](parts []partOf[T], n uint64) list[T] {
	if n == 0 {
		return list[T]{}
	}
	l := list[T]{make([][]T, n), make([]*column, n)}
	for _, p := range parts {
		l.parts[p.column.Part], l.columns[p.column.Part] = p.elements, p.column
	}
	return l
}

// sortedPeers returns the peers of all parts in order. The sort is stable.
// It looks at each peer once, since peers aren't in the processor's cache.
func sortedPeers(parts [][]tailcfg.NodeView) []tailcfg.NodeView {
	if parts == nil {
		return nil
	}
	peers := slices.Concat(parts...)
	type place struct {
		id tailcfg.NodeID
		i  int
	}
	order := make([]place, len(peers))
	for i, p := range peers {
		order[i] = place{p.ID(), i}
	}
	slices.SortFunc(order, func(a, b place) int {
		if c := cmp.Compare(a.id, b.id); c != 0 {
			return c
		}
		return cmp.Or(comparePeers(peers[a.i], peers[b.i]), cmp.Compare(a.i, b.i))
	})
	sorted := make([]tailcfg.NodeView, len(peers))
	for i, p := range order {
		sorted[i] = peers[p.i]
	}
	return sorted
}

// take checks and decodes col. data and err are what
// the store returned for its key.
func (r *reader) take(col format.Column, data []byte, err error) error {
	name := columnName(col)
	switch {
	case isNotFound(err):
		return corrupt(name, "missing")
	case err != nil:
		return loadError(name, err)
	case uint64(len(data)) != col.Size || digestOf(data) != col.Digest:
		return corrupt(name, "digest differs")
	}
	if err := r.decode(col, data); err != nil {
		return corruptBy(name, err)
	}
	return nil
}

// decode adds the content of col to the snapshot and the netmap. data are its bytes.
func (r *reader) decode(col format.Column, data []byte) error {
	if err := codec.CheckCount(col, data); err != nil {
		return err
	}
	nm := r.nm
	var of any
	switch col.Kind {
	case format.KindNode:
		n, err := codec.DecodeNode(data)
		if err != nil {
			return err
		}
		nm.SelfNode = n.View()
		restoreDisplayNames(n)
		of = nm.SelfNode
	case format.KindMisc:
		m, err := codec.DecodeMisc(data)
		if err != nil {
			return err
		}
		setMisc(nm, m)
	case format.KindDNS:
		dns, err := codec.DecodeDNS(data)
		if err != nil {
			return err
		}
		nm.DNS = *dns
	case format.KindDERPMap:
		dm, err := codec.DecodeDERPMap(data)
		if err != nil {
			return err
		}
		nm.DERPMap, of = dm, dm
	case format.KindSSH:
		ssh, err := codec.DecodeSSH(data)
		if err != nil {
			return err
		}
		nm.SSHPolicy, of = ssh, ssh
	case format.KindFilter:
		rules, err := codec.DecodeFilter(data)
		if err != nil {
			return err
		}
		nm.PacketFilterRules = views.SliceOf(rules)
		if len(rules) > 0 {
			of = nm.PacketFilterRules.MapKey()
		}
	case format.KindPeers:
		nodes, err := codec.DecodePeers(data)
		if err != nil {
			return err
		}
		part := make([]tailcfg.NodeView, len(nodes))
		for i, n := range nodes {
			restoreDisplayNames(n)
			part[i] = n.View()
		}
		if !peerOps.belong(part, col, r.root.PeerParts) {
			return errors.New("a peer of another part")
		}
		r.peers = append(r.peers, partOf[tailcfg.NodeView]{part, peerOps.stored(col, part)})
	case format.KindUsers:
		users, err := codec.DecodeUsers(data)
		if err != nil {
			return err
		}
		part := make([]user, len(users))
		for i, u := range users {
			if u.Profile == nil {
				return errors.New("no user profile")
			}
			part[i] = user{u.ID, u.Profile.View()}
		}
		if !userOps.belong(part, col, r.root.UserParts) {
			return errors.New("a user of another part")
		}
		r.users = append(r.users, partOf[user]{part, userOps.stored(col, part)})
	}
	if !partitioned(col.Kind) {
		r.snapshot.single[col.Kind] = &column{Column: col, key: columnKey(col), data: data, of: of}
	}
	return nil
}
