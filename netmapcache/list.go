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

// A list is a list of the netmap, divided into parts that are each stored as a column.
type list[T comparable] struct {
	parts   [][]T     // in order of their hashes; nil if the list is nil
	columns []*column // one for each part; nil for an empty one
}

// listOps is what there is to know about lists of T.
type listOps[T comparable] struct {
	kind    format.Kind
	perPart int // see partsFor
	hash    func(T) uint64
	compare func(a, b T) int
	encode  func(dst []byte, part []T) []byte
}

var peerOps = listOps[tailcfg.NodeView]{
	kind:    format.KindPeers,
	perPart: peersPerPart,
	hash:    func(p tailcfg.NodeView) uint64 { return peerHash(p.StableID()) },
	compare: comparePeers,
	encode:  codec.AppendPeers,
}

var userOps = listOps[user]{
	kind:    format.KindUsers,
	perPart: usersPerPart,
	hash:    func(u user) uint64 { return userHash(u.id) },
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

// comparePeers orders peers as netmaps do, by ID.
func comparePeers(a, b tailcfg.NodeView) int {
	return cmp.Or(cmp.Compare(a.ID(), b.ID()), cmp.Compare(a.StableID(), b.StableID()))
}

// sortedPeers puts peers in order, those that compare equal in the order that they have.
// It looks at each peer once, since it won't be in the processor's cache.
func sortedPeers(peers []tailcfg.NodeView) []tailcfg.NodeView {
	if peers == nil {
		return nil
	}
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

// divide returns items as a list, and takes from old the parts that are the same.
// Nil gives a nil list.
func (ops *listOps[T]) divide(items []T, old list[T]) list[T] {
	if items == nil {
		return list[T]{}
	}
	n := partsFor(len(items), ops.perPart, uint64(len(old.parts)))
	parts := make([][]T, n)
	for _, it := range items {
		i := ops.hash(it) & (n - 1)
		parts[i] = append(parts[i], it)
	}
	return ops.list(parts, old)
}

// buffers are what parts are encoded into, to learn their digests, which mostly tell
// that they are stored already, and to be stored.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// list makes a list of parts, and takes from old the columns of those that are the same.
func (ops *listOps[T]) list(parts [][]T, old list[T]) list[T] {
	l := list[T]{parts, make([]*column, len(parts))}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for i, part := range parts {
		same := func() bool { return len(old.parts) == len(parts) && equal(part, old.parts[i]) }
		if !same() { // else sorted already, as can be told without looking into part
			slices.SortStableFunc(part, ops.compare)
		}
		switch {
		case len(part) == 0:
		case same():
			l.columns[i] = old.columns[i]
		default:
			c := ops.column(i, part)
			if len(old.columns) == len(parts) {
				data := c.bytes(buf)
				if old.columns[i] == nil || old.columns[i].Digest != c.Digest {
					c.data = bytes.Clone(data) // to be stored, most likely
				}
			} // else to be stored for sure, and encoded then
			l.columns[i] = c
		}
	}
	return l
}

// equal is slices.Equal, but doesn't look into slices that are the same.
func equal[T comparable](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}

// column returns the column for a part, its bytes, digest and size not yet set.
func (ops *listOps[T]) column(i int, part []T) *column {
	return &column{
		Column: format.Column{Kind: ops.kind, Part: uint64(i), Count: uint64(len(part))},
		encode: func(dst []byte) []byte { return ops.encode(dst, part) },
	}
}

// An edit changes the part of a list that a hash belongs to.
type edit[T comparable] struct {
	hash  uint64
	apply func(part []T) []T
}

// edit returns old with edits applied in turn.
func (ops *listOps[T]) edit(old list[T], edits []edit[T]) list[T] {
	if len(edits) == 0 {
		return old
	}
	parts := slices.Clone(old.parts)
	if parts == nil {
		parts = make([][]T, 1)
	}
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	own := make(map[uint64]bool) // the parts that are not old's any more
	for _, e := range edits {
		i := e.hash & uint64(len(parts)-1)
		if !own[i] {
			own[i] = true
			parts[i] = slices.Clone(parts[i])
		}
		size -= len(parts[i])
		parts[i] = e.apply(parts[i])
		size += len(parts[i])
	}
	if old.parts == nil && size == 0 {
		return old
	}
	if partsFor(size, ops.perPart, uint64(len(parts))) != uint64(len(parts)) {
		next := list[T]{parts: parts}
		return ops.divide(next.all(), list[T]{})
	}
	return ops.list(parts, old)
}

// put appends part, which is stored as col, to l, whose empty parts are missing
// until spread adds them.
func (ops *listOps[T]) put(l *list[T], col format.Column, part []T) {
	c := ops.column(int(col.Part), part)
	c.Column = col
	l.parts = append(l.parts, part)
	l.columns = append(l.columns, c)
}

// spread returns l, made by put, with n parts, each in its place. The result is the
// nil list if n is 0.
func (l *list[T]) spread(n uint64) list[T] {
	if n == 0 {
		return list[T]{}
	}
	all := list[T]{make([][]T, n), make([]*column, n)}
	for i, c := range l.columns {
		all.parts[c.Part], all.columns[c.Part] = l.parts[i], c
	}
	return all
}

// all returns the elements of l, part by part, or nil if l is the nil list.
func (l *list[T]) all() []T {
	if l.parts == nil {
		return nil
	}
	size := 0
	for _, part := range l.parts {
		size += len(part)
	}
	all := make([]T, 0, size)
	for _, part := range l.parts {
		all = append(all, part...)
	}
	return all
}

// replacePeers returns what divide would make of next and old, which was made of given,
// if few peers differ: then it looks into no others. Else it is not ok.
func replacePeers(old list[tailcfg.NodeView], given, next []tailcfg.NodeView) (l list[tailcfg.NodeView], ok bool) {
	if given == nil || next == nil {
		return l, false
	}
	gone, come, ok := differences(given, next)
	if !ok {
		return l, false
	}
	var edits []edit[tailcfg.NodeView]
	for _, p := range gone {
		edits = append(edits, edit[tailcfg.NodeView]{peerHash(p.StableID()), func(part []tailcfg.NodeView) []tailcfg.NodeView {
			return slices.DeleteFunc(part, func(q tailcfg.NodeView) bool { return q == p })
		}})
	}
	for _, p := range come {
		edits = append(edits, edit[tailcfg.NodeView]{peerHash(p.StableID()), func(part []tailcfg.NodeView) []tailcfg.NodeView {
			return append(part, p)
		}})
	}
	size := len(come) - len(gone)
	for _, part := range old.parts {
		size += len(part)
	}
	if partsFor(size, peersPerPart, uint64(len(old.parts))) != uint64(len(old.parts)) {
		return l, false
	}
	l = peerOps.edit(old, edits)
	got := 0
	for i, part := range l.parts {
		got += len(part)
		if equal(part, old.parts[i]) {
			continue
		}
		// The order of peers that compare equal depends on all of next.
		for j := range len(part) - 1 {
			if comparePeers(part[j], part[j+1]) == 0 {
				return l, false
			}
		}
	}
	return l, got == size // else a peer was in given twice
}

// differences returns the valid elements that are only in old or only in next, if
// they are found in one go and are few: that is, if elements were replaced each in its place,
// or those between two places were added, removed or replaced.
func differences(old, next []tailcfg.NodeView) (gone, come []tailcfg.NodeView, ok bool) {
	for len(old) > 0 && len(next) > 0 && old[0] == next[0] {
		old, next = old[1:], next[1:]
	}
	for len(old) > 0 && len(next) > 0 && old[len(old)-1] == next[len(next)-1] {
		old, next = old[:len(old)-1], next[:len(next)-1]
	}
	inPlace := len(old) == len(next)
	for i := range max(len(old), len(next)) {
		if inPlace && old[i] == next[i] {
			continue
		}
		if i < len(old) && old[i].Valid() {
			gone = append(gone, old[i])
		}
		if i < len(next) && next[i].Valid() {
			come = append(come, next[i])
		}
		if len(gone)+len(come) > maxDifferences {
			return nil, nil, false
		}
	}
	return gone, come, true
}

// maxDifferences is how many peers are looked up one by one.
const maxDifferences = 512
