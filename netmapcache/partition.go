package netmapcache

import (
	"encoding/binary"
	"hash/fnv"
	"math/bits"

	"tailscale.com/tailcfg"
)

// Lists are divided into parts so that a change of one element rewrites little,
// while the number of files or records, which Load and the first Store pay for, stays
// small. A part has up to so many elements on average, and in a long list more, since
// there the root, which a change rewrites too, is as large as a part.
const (
	peersPerPart = 48  // of some 570 bytes each
	usersPerPart = 192 // of some 160
	maxParts     = 1 << 20
)

// validParts reports whether n can be a number of parts.
func validParts(n uint64) bool {
	return n <= maxParts && (n == 0 || bits.OnesCount64(n) == 1)
}

// partsFor returns the number of parts, a power of two, for a list of n elements
// that is now divided into old parts, or 0 if it isn't. It keeps old while that
// is what half as many or twice as many elements would get: dividing anew rewrites
// the whole list.
func partsFor(n, perPart int, old uint64) uint64 {
	if old > 0 && newParts((n+1)/2, perPart) <= old && old <= newParts(2*n+1, perPart) {
		return old
	}
	return newParts(n, perPart)
}

// newParts returns the number of parts for a list of n elements that is divided
// anew: enough for perPart elements in each, but no more than about the square root of n.
func newParts(n, perPart int) uint64 {
	parts := uint64(1)
	for uint64(n) > parts*uint64(perPart) && 4*uint64(n) > 3*parts*parts && parts < maxParts {
		parts *= 2
	}
	return parts
}

// peerHash tells, modulo the number of parts, which part a peer belongs to.
func peerHash(id tailcfg.StableNodeID) uint64 { return partHash([]byte(id)) }

// userHash tells, modulo the number of parts, which part a user belongs to.
func userHash(id tailcfg.UserID) uint64 {
	return partHash(binary.LittleEndian.AppendUint64(nil, uint64(id)))
}

// partHash is FNV-1a of 64 bits, with its high half mixed into the low one, of which alone a power of two of
// parts makes use. Which part an element belongs to is part of the format.
func partHash(id []byte) uint64 {
	h := fnv.New64a()
	h.Write(id)
	n := h.Sum64()
	return n ^ n>>32
}
