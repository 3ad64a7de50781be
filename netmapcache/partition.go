package netmapcache

import (
	"encoding/binary"
	"math/bits"

	"tailscale.com/tailcfg"
)

// Lists are divided into parts so that a change of one element rewrites little,
// while the number of files or records stays small. The sizes are mean numbers
// of elements a part.
const (
	maxNewPart  = 48 // a list that is divided anew gets parts of half this to this
	maxKeptPart = 96 // larger parts are divided anew
	minKeptPart = 12 // smaller ones too
	maxParts    = 1 << 20
)

// validParts reports whether n can be a number of parts.
func validParts(n uint64) bool {
	return n <= maxParts && (n == 0 || bits.OnesCount64(n) == 1)
}

// partsFor returns the number of parts, a power of two, for a list of n elements
// that is now divided into old parts, or 0 if it isn't. It keeps old while
// that is good enough: dividing anew rewrites the whole list.
func partsFor(n int, old uint64) uint64 {
	mean := uint64(n)
	if old > 0 && mean <= old*maxKeptPart && (old == 1 || mean >= old*minKeptPart) {
		return old
	}
	parts := uint64(1)
	for mean > parts*maxNewPart && parts < maxParts {
		parts *= 2
	}
	return parts
}

// FNV-1a of 64 bits. Which part an element belongs to is part of the format.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// peerHash tells, modulo the number of parts, which part a peer belongs to.
func peerHash(id tailcfg.StableNodeID) uint64 {
	h := uint64(fnvOffset)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * fnvPrime
	}
	return fold(h)
}

// userHash tells, modulo the number of parts, which part a user belongs to.
func userHash(id tailcfg.UserID) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(id))
	h := uint64(fnvOffset)
	for _, c := range b {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return fold(h)
}

// fold mixes the high half of a hash into the low one, of which alone a power of
// two of parts makes use.
func fold(h uint64) uint64 { return h ^ h>>32 }
