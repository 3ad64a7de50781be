//go:build !netmapcache_omit

package netmapcache

// enabled reports whether caching is part of the build.
const enabled = true
