package netmapcache

import "time"

// WithClock makes the cache call now for the time, instead of [time.Now]. It is for tests, and
// for tools that store a netmap with the times that it had elsewhere.
func WithClock(now func() time.Time) Option {
	return func(c *Cache) { c.now = now }
}
