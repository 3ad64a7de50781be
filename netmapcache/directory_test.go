//go:build !js

package netmapcache_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
)

// TestAbsentDirectory: if the directory doesn't exist, errors of writes name it, and errors of Load differ from those of an empty one.
func TestAbsentDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent")
	c := netmapcache.NewCache(netmapcache.FileStore(path))
	if _, err := c.Load(t.Context()); !errors.Is(err, netmapcache.ErrEmpty) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load: %v, want ErrEmpty and fs.ErrNotExist", err)
	}
	if err := c.Store(t.Context(), netmaptest.Realistic(2, 1)); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("Store: %v, want fs.ErrNotExist and the path", err)
	}
	empty := netmapcache.NewCache(netmapcache.FileStore(t.TempDir()))
	if _, err := empty.Load(t.Context()); !errors.Is(err, netmapcache.ErrEmpty) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of an empty directory: %v, want ErrEmpty alone", err)
	}
}
