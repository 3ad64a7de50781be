//go:build !js

package filestore

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// TestEmptied: a directory is empty if its last value was removed, or if it never got one.
func TestEmptied(t *testing.T) {
	put := func(keys ...string) store.Change {
		var ch store.Change
		for _, key := range keys {
			ch.Put = append(ch.Put, store.Entry{Key: key})
		}
		return ch
	}
	for _, tt := range []struct {
		name string
		do   func(s FileStore) error
		want error
	}{
		{"one by one", func(s FileStore) error {
			return errors.Join(s.Commit(t.Context(), put("a", "b")), s.Remove(t.Context(), "a"), s.Remove(t.Context(), "b"))
		}, nil},
		{"at once", func(s FileStore) error {
			return errors.Join(s.Commit(t.Context(), put("a", "b")), s.Commit(t.Context(), store.Change{Remove: []string{"b", "a"}}))
		}, nil},
		{"with what a killed writer left", func(s FileStore) error {
			writeFile(t, filepath.Join(string(s), newTemporary()), "left")
			return errors.Join(s.Store(t.Context(), "a", nil), s.Remove(t.Context(), "a"))
		}, nil},
		{"nothing to remove", func(s FileStore) error {
			return s.Commit(t.Context(), store.Change{Remove: []string{"a"}})
		}, nil},
		{"a guard that doesn't hold", func(s FileStore) error {
			ch := put("a")
			ch.Guard = &store.Guard{Key: "a"}
			return s.Commit(t.Context(), ch)
		}, store.ErrConflict},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := t.TempDir()
			if err := tt.do(FileStore(path)); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			files, err := os.ReadDir(path)
			if err != nil || len(files) != 0 {
				t.Errorf("left are %v, %v", files, err)
			}
		})
	}
}

// TestLockRemoved: a writer waits for a lock file that is removed meanwhile. It gets the lock of the file that
// replaces it.
func TestLockRemoved(t *testing.T) {
	if runtime.GOOS == "wasip1" || runtime.GOOS == "plan9" {
		t.Skip("there are no locks here")
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	removals := 3
	f := osFolder{root: root}
	f.tryLock = func(file *os.File) (bool, error) {
		if removals--; removals >= 0 { // by whoever had the lock when the file was opened
			if err := f.remove(lockName); err != nil {
				t.Error(err)
			}
		}
		return tryLock(file)
	}
	file, err := f.lockFile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	defer unlockFile(file)
	got, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if named, err := root.Lstat(lockName); err != nil || !os.SameFile(got, named) {
		t.Errorf("the file that is locked hasn't the name: %v", err)
	}
}

// TestLockExcludes: only one writer at a time has the lock, even if writers remove the lock file now and then.
func TestLockExcludes(t *testing.T) {
	if runtime.GOOS == "wasip1" || runtime.GOOS == "plan9" {
		t.Skip("there are no locks here")
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f := osFolder{root, tryLock}
	var inside atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				file, err := f.lockFile(t.Context()) // without turns, as if in processes of their own
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d have the lock", n)
				}
				inside.Add(-1)
				if i%2 == 0 { // as the last thing that is done under the lock
					if err := f.remove(lockName); err != nil {
						t.Error(err)
					}
				}
				unlockFile(file)
				file.Close()
			}
		})
	}
	wg.Wait()
}
