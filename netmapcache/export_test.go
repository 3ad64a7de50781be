package netmapcache

import (
	"slices"
	"time"
)

// Attempts is how often something is tried that other writers outrun.
const Attempts = attempts

// WithClock makes a Cache take the time from now.
func WithClock(now func() time.Time) Option {
	return func(c *Cache) { c.now = now }
}

// SealForTest seals the bytes of a root.
func SealForTest(root []byte) []byte {
	value := slices.Concat([]byte{sealHead}, root, []byte{sealDigestHead})
	digest := digestOf(value)
	return append(value, digest[:]...)
}
