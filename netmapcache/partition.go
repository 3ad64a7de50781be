package netmapcache

import (
	"encoding/binary"
	"hash/fnv"
	"math/bits"

	"tailscale.com/tailcfg"
)

// Lists are divided into parts so that a change of one element rewrites little,
// and the number of files or records, which costs time in Load and the first Store, stays
// small. The constants are the largest average numbers of elements in a part. In a long list a part has more, because
// every change also rewrites the root, which there is as large as a part.
const (
	peersPerPart = 48  // of some 570 bytes each
	usersPerPart = 192 // of some 160 bytes each
	maxParts     = 1 << 20
)

// validParts reports whether n can be a number of parts.
func validParts(n uint64) bool {
	return n <= maxParts && (n == 0 || bits.OnesCount64(n) == 1)
}

// partsFor returns the number of parts, a power of two, for a list of n elements
// that has old parts now, or 0 if it isn't divided. It keeps old as long as that lies between the numbers
// for half and for twice as many elements, since dividing anew rewrites
// the whole list.
func partsFor(n, perPart int, old uint64) uint64 {
	if old > 0 && newParts((n+1)/2, perPart) <= old && old <= newParts(2*n+1, perPart) {
		return old
	}
	return newParts(n, perPart)
}

// newParts returns the number of parts for a list of n elements that is divided
// anew: enough for an average of at most perPart elements, but no more than about the square root of n.
func newParts(n, perPart int) uint64 {
	parts := uint64(1)
	for uint64(n) > parts*uint64(perPart) && 4*uint64(n) > 3*parts*parts && parts < maxParts {
		parts *= 2
	}
	return parts
}

// peerHash modulo the number of parts is the part of a peer.
func peerHash(id tailcfg.StableNodeID) uint64 { return partHash([]byte(id)) }

// userHash modulo the number of parts is the part of a user.
func userHash(id tailcfg.UserID) uint64 {
	return partHash(binary.LittleEndian.AppendUint64(nil, uint64(id)))
}

// partHash is FNV-1a of 64 bits. It mixes the high half of the hash into the low half, since the modulo by a power of
// two uses only low bits. The format prescribes it.
func partHash(id []byte) uint64 {
	h := fnv.New64a()
	h.Write(id)
	n := h.Sum64()
	return n ^ n>>32
}
