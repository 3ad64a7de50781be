package netmapcache

import (
	"slices"

	"tailscale.com/tailcfg"
)

// Attempts is how often something is tried that other writers outrun.
const Attempts = attempts

// SealForTest seals the bytes of a root.
func SealForTest(root []byte) []byte {
	value := slices.Concat([]byte{sealHead}, root, []byte{sealDigestHead})
	digest := digestOf(value)
	return append(value, digest[:]...)
}

// PeerPart returns the part, of n, that a peer belongs to.
func PeerPart(id string, n int) int { return int(peerHash(tailcfg.StableNodeID(id)) & uint64(n-1)) }

// UserPart returns the part, of n, that a user belongs to.
func UserPart(id, n int) int { return int(userHash(tailcfg.UserID(id)) & uint64(n-1)) }
