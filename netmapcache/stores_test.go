//go:build !js

package netmapcache_test

import (
	"testing"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// eachStore runs f with an empty store of each kind that the platform has.
func eachStore(t *testing.T, f func(t *testing.T, s netmapcache.Store)) {
	t.Run("memstore", func(t *testing.T) { f(t, memstore.New()) })
	t.Run("sealed", func(t *testing.T) { f(t, seal(t, memstore.New())) })
	t.Run("filestore", func(t *testing.T) { f(t, netmapcache.FileStore(t.TempDir())) })
}
