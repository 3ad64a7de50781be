package filestore

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// withoutPrivilege runs do as a user who may not pass by permissions.
func withoutPrivilege(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Getuid() == 0 {
			// Only this thread becomes another user, and ends with the goroutine.
			runtime.LockOSThread()
			if err := syscall.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
		}
		do()
	}()
	<-done
}

// TestNoPermission: the refusal of the system is seen as such.
func TestNoPermission(t *testing.T) {
	path := t.TempDir()
	s := FileStore(path)
	if err := s.Store(t.Context(), "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(path, nameOf("a"))
	chmod := func(name string, mode fs.FileMode) {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(file, 0)
	chmod(filepath.Dir(path), 0711) // the other user has to get here
	chmod(path, 0555)
	defer chmod(path, 0700)

	withoutPrivilege(t, func() {
		if got := keysOf(t, s); !slices.Equal(got, []string{"a"}) {
			t.Errorf("List = %q", got)
		}
		if err := s.Remove(t.Context(), "absent"); err != nil {
			t.Errorf("Remove of an absent key: %v", err)
		}
		_, loadErr := s.Load(t.Context(), "a")
		for call, err := range map[string]error{
			"Load":   loadErr,
			"Store":  s.Store(t.Context(), "b", nil),
			"Remove": s.Remove(t.Context(), "a"),
			"Commit": s.Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "b"}}}),
		} {
			if !errors.Is(err, fs.ErrPermission) || errors.Is(err, store.ErrKeyNotFound) {
				t.Errorf("%s: %v, want fs.ErrPermission", call, err)
			}
		}
	})

	chmod(path, 0311)
	withoutPrivilege(t, func() {
		for key, err := range s.List(t.Context(), "") {
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("List of a directory that can't be read yields %q, %v", key, err)
			}
		}
	})
}

// TestFullDisk: a change that the disk can't take leaves everything as it was,
// and smaller ones work.
func TestFullDisk(t *testing.T) {
	path := t.TempDir()
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size=512k,mode=0700"); err != nil {
		t.Skipf("can't mount a small disk (TestOneFailure stands in for it): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(path, syscall.MNT_DETACH) })
	s := FileStore(path)
	if err := s.Commit(t.Context(), columns(10, 20_000)); err != nil {
		t.Fatal(err)
	}
	before, names := valuesIn(t, path), namesIn(t, path)
	for call, err := range map[string]error{
		"Commit": s.Commit(t.Context(), columns(100, 20_000)),
		"Store":  s.Store(t.Context(), "peers-000", make([]byte, 1<<20)),
	} {
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v, want ENOSPC", call, err)
		}
	}
	if got := valuesIn(t, path); !maps.Equal(got, before) {
		t.Errorf("values of keys %q, want those of %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(before)))
	}
	if got := namesIn(t, path); !slices.Equal(got, names) {
		t.Errorf("files = %q, want %q", got, names)
	}
	if err := s.Store(t.Context(), "small", []byte("1")); err != nil {
		t.Errorf("Store of a small value: %v", err)
	}
}
