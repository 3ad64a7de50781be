package netmapcache

import (
	"bytes"
	"cmp"
	"slices"
	"sync"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
)

// A list holds the peers or the users of a netmap, divided into parts. Each part is stored as a column.
type list[T comparable] struct {
	parts   [][]T     // each part in order; nil if the list is nil
	columns []*column // the column of each part; nil for an empty part
}

// listOps are the operations on lists of T, whose elements have keys of type K.
type listOps[T, K comparable] struct {
	kind    format.Kind
	perPart int // see partsFor
	key     func(T) K
	hash    func(K) uint64 // decides the part
	compare func(a, b T) int
	encode  func(dst []byte, part []T) []byte
}

var peerOps = listOps[tailcfg.NodeView, tailcfg.StableNodeID]{
	kind:    format.KindPeers,
	perPart: peersPerPart,
	key:     func(p tailcfg.NodeView) tailcfg.StableNodeID { return p.StableID() },
	hash:    peerHash,
	compare: comparePeers,
	encode:  codec.AppendPeers,
}

var userOps = listOps[user, tailcfg.UserID]{
	kind:    format.KindUsers,
	perPart: usersPerPart,
	key:     func(u user) tailcfg.UserID { return u.id },
	hash:    userHash,
	compare: func(a, b user) int { return cmp.Compare(a.id, b.id) },
	encode: func(dst []byte, part []user) []byte {
		ids := make([]tailcfg.UserID, len(part))
		profiles := make(map[tailcfg.UserID]tailcfg.UserProfileView, len(part))
		for i, u := range part {
			ids[i], profiles[u.id] = u.id, u.profile
		}
		return codec.AppendUsers(dst, ids, profiles)
	},
}

// comparePeers orders peers by ID, as netmaps do, then by stable ID.
func comparePeers(a, b tailcfg.NodeView) int {
	return cmp.Or(cmp.Compare(a.ID(), b.ID()), cmp.Compare(a.StableID(), b.StableID()))
}

// part returns the index of the part that it belongs to, of n parts.
func (ops *listOps[T, K]) part(it T, n int) uint64 {
	return ops.hash(ops.key(it)) & uint64(n-1)
}

// divide returns items as a list. The result shares with old the columns of equal parts.
// If items is nil, so is the list.
func (ops *listOps[T, K]) divide(items []T, old list[T]) list[T] {
	if items == nil {
		return list[T]{}
	}
	n := partsFor(len(items), ops.perPart, uint64(len(old.parts)))
	parts := make([][]T, n)
	for _, it := range items {
		i := ops.part(it, len(parts))
		parts[i] = append(parts[i], it)
	}
	return ops.list(parts, old)
}

// invalidPart stands for the part of an invalid view, which isn't stored.
const invalidPart = ^uint32(0)

// dividePeers is divide for the peers of a netmap. It also returns the part of each peer. old was made of
// last. If last has the same peer at the same position, counted from the beginning or
// from the end, its part is known without a look at the peer. With 10,000 peers, one of
// which has changed, that look would be most of the work of Store.
func dividePeers(peers []tailcfg.NodeView, last given, old list[tailcfg.NodeView]) (list[tailcfg.NodeView], []uint32) {
	if peers == nil {
		return list[tailcfg.NodeView]{}, nil
	}
	valid := 0
	for _, p := range peers {
		if p.Valid() {
			valid++
		}
	}
	n := int(partsFor(valid, peersPerPart, uint64(len(old.parts))))
	if n != len(old.parts) {
		last = given{}
	}
	known := func(p tailcfg.NodeView, i int) bool { return i >= 0 && i < len(last.peers) && last.peers[i] == p }
	shift := len(last.peers) - len(peers)
	places := make([]uint32, len(peers))
	sizes := make([]int, n)
	for i, p := range peers {
		switch {
		case !p.Valid():
			places[i] = invalidPart
			continue
		case known(p, i):
			places[i] = last.parts[i]
		case known(p, i+shift):
			places[i] = last.parts[i+shift]
		default:
			places[i] = uint32(peerOps.part(p, n))
		}
		sizes[places[i]]++
	}
	parts := make([][]tailcfg.NodeView, n)
	all := make([]tailcfg.NodeView, valid)
	for i, size := range sizes {
		parts[i], all = all[:0:size], all[size:]
	}
	for i, p := range peers {
		if part := places[i]; part != invalidPart {
			parts[part] = append(parts[part], p)
		}
	}
	return peerOps.list(parts, old), places
}

// encoded are buffers for encoding parts to learn their digests. Most parts turn out
// to be stored already.
var encoded = sync.Pool{New: func() any { return new([]byte) }}

// list sorts parts and makes a list of them. The result shares with old the columns of equal parts.
func (ops *listOps[T, K]) list(parts [][]T, old list[T]) list[T] {
	l := list[T]{parts, make([]*column, len(parts))}
	for i, part := range parts {
		if len(part) == 0 {
			continue
		}
		var was *column
		if len(old.parts) == len(parts) {
			was = old.columns[i]
			if slices.Equal(part, old.parts[i]) {
				l.columns[i] = was
				continue
			}
		}
		l.columns[i] = ops.column(i, part, was)
	}
	return l
}

// column sorts part, which has index i, and returns its column. was is the part's column so far, or nil.
func (ops *listOps[T, K]) column(i int, part []T, was *column) *column {
	slices.SortStableFunc(part, ops.compare)
	buf := encoded.Get().(*[]byte)
	defer encoded.Put(buf)
	*buf = ops.encode((*buf)[:0], part)
	c := newColumn(format.Column{Kind: ops.kind, Part: uint64(i), Count: uint64(len(part))}, *buf)
	if was != nil && was.Column == c.Column {
		c.data = nil // most likely it is stored
	} else {
		c.data = bytes.Clone(*buf)
	}
	c.encode = func(dst []byte) []byte { return ops.encode(dst, part) }
	return c
}

// edit returns old with edits applied, each to the elements of its key.
func (ops *listOps[T, K]) edit(old list[T], edits map[K]func([]T) []T) list[T] {
	parts, columns := slices.Clone(old.parts), slices.Clone(old.columns)
	if parts == nil {
		parts, columns = make([][]T, 1), make([]*column, 1)
	}
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	byPart := make(map[uint64]map[K][]T) // the elements that are edited
	for key := range edits {
		i := ops.hash(key) & uint64(len(parts)-1)
		if byPart[i] == nil {
			byPart[i] = make(map[K][]T)
		}
		byPart[i][key] = nil
	}
	for i, edited := range byPart {
		var next []T
		for _, it := range parts[i] {
			if of, ok := edited[ops.key(it)]; ok {
				edited[ops.key(it)] = append(of, it)
			} else {
				next = append(next, it)
			}
		}
		for key, of := range edited {
			next = append(next, edits[key](of)...)
		}
		size += len(next) - len(parts[i])
		parts[i] = next
	}
	switch n := partsFor(size, ops.perPart, uint64(len(parts))); {
	case old.parts == nil && size == 0:
		return old
	case n != uint64(len(parts)):
		all := make([]T, 0, size) // not nil, though it may be empty
		return ops.divide(append(all, slices.Concat(parts...)...), list[T]{})
	}
	for i := range byPart {
		was := columns[i]
		columns[i] = nil
		if len(parts[i]) > 0 {
			columns[i] = ops.column(int(i), parts[i], was)
		}
	}
	return list[T]{parts, columns}
}

// belong reports whether all elements of part belong to the part that entry names, of n parts. So one
// stored value can't stand for several parts.
func (ops *listOps[T, K]) belong(part []T, entry format.Column, n uint64) bool {
	return !slices.ContainsFunc(part, func(it T) bool { return ops.part(it, int(n)) != entry.Part })
}

// stored returns the column for a part that is stored. entry is its entry in the root.
func (ops *listOps[T, K]) stored(entry format.Column, part []T) *column {
	return &column{
		Column: entry,
		key:    columnKey(entry),
		encode: func(dst []byte) []byte { return ops.encode(dst, part) },
	}
}
