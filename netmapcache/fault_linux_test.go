package netmapcache_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
)

// TestFullDisk stores on a disk of 2 MB with less and less room, until
// none is left. If a netmap doesn't fit, the stored one stays, and the Cache goes on.
func TestFullDisk(t *testing.T) {
	path := t.TempDir()
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size=2m,mode=0700"); err != nil {
		t.Skipf("can't mount a small disk (TestFaults stands in for it): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(path, syscall.MNT_DETACH) })
	s := netmapcache.FileStore(path)
	c := netmapcache.NewCache(s)
	stored := netmaptest.Realistic(500, 1)
	mustStore(t, c, stored)

	ballast, err := os.Create(filepath.Join(path, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer ballast.Close()
	failed, succeeded := 0, 0
	for size := 1100 << 10; size < 2<<20; size += 40 << 10 {
		if err := syscall.Fallocate(int(ballast.Fd()), 0, 0, int64(size)); errors.Is(err, syscall.ENOSPC) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		next := netmaptest.Realistic(500, uint64(size))
		switch err := c.Store(t.Context(), next); {
		case err == nil:
			succeeded++
			stored = next
		case errors.Is(err, syscall.ENOSPC):
			failed++
		default:
			t.Errorf("Store with %d bytes taken: %v, want ENOSPC", size, err)
		}
		for _, c := range []*netmapcache.Cache{c, netmapcache.NewCache(s)} {
			if _, err := cachetest.Loads(t.Context(), c, stored); err != nil {
				t.Fatalf("with %d bytes taken: %v", size, err)
			}
		}
	}
	if failed == 0 || succeeded == 0 {
		t.Errorf("%d calls failed and %d didn't: want some of both", failed, succeeded)
	}
	t.Logf("%d calls failed, %d didn't", failed, succeeded)
	if err := ballast.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if err := cachetest.Recovers(t.Context(), s, c, cachetest.Other()); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
