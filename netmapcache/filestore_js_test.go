package netmapcache_test

import (
	"errors"
	"testing"

	"github.com/netmapcache/netmapcache/netmapcache"
)

func TestFileStoreIsUnsupported(t *testing.T) {
	c := netmapcache.NewCache(netmapcache.FileStore("dir"))
	if _, err := c.Load(t.Context()); !errors.Is(err, errors.ErrUnsupported) || errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("got %v", err)
	}
}
