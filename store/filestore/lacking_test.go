//go:build !js

package filestore

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/storetest"
)

// lackingFolder is one of a file system that lacks what has an error here, or where names come back
// in upper case.
type lackingFolder struct {
	osFolder
	noSyncDir, noSync, noLink error
	replaces                  bool // by removing first
	upper                     bool
}

func (f lackingFolder) syncDir() error { return f.noSyncDir }

func (f lackingFolder) create(name string) (file, error) {
	made, err := f.osFolder.create(name)
	return lackingFile{made, f.noSync}, err
}

type lackingFile struct {
	file
	noSync error
}

func (f lackingFile) Sync() error { return f.noSync }

func (f lackingFolder) link(name, newName string) error {
	if f.noLink != nil {
		return f.noLink
	}
	return f.osFolder.link(name, newName)
}

func (f lackingFolder) rename(name, newName string) error {
	if f.replaces {
		if err := f.remove(newName); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return f.osFolder.rename(name, newName)
}

func (f lackingFolder) openDir() (fs.ReadDirFile, error) {
	dir, err := f.osFolder.openDir()
	if f.upper {
		dir = upperDir{dir}
	}
	return dir, err
}

func (f lackingFolder) lstat(name string) (fs.FileInfo, error) {
	return f.osFolder.lstat(f.real(name))
}

func (f lackingFolder) remove(name string) error { return f.osFolder.remove(f.real(name)) }

// real returns the name of a file that has it in any case.
func (f lackingFolder) real(name string) string {
	if f.upper {
		return strings.ToLower(name)
	}
	return name
}

type upperDir struct{ fs.ReadDirFile }

type upperEntry struct{ fs.DirEntry }

func (e upperEntry) Name() string { return strings.ToUpper(e.DirEntry.Name()) }

func (d upperDir) ReadDir(n int) ([]fs.DirEntry, error) {
	files, err := d.ReadDirFile.ReadDir(n)
	for i := range files {
		files[i] = upperEntry{files[i]}
	}
	return files, err
}

// errNotSupported is what Plan 9 reports.
var errNotSupported = fmt.Errorf("not supported by plan 9: %w", errors.ErrUnsupported)

// lacking are file systems that lack something.
var lacking = func() map[string]lackingFolder {
	all := map[string]lackingFolder{
		"upper case": {upper: true},
		"plan 9": {noSyncDir: errNotSupported, noLink: errNotSupported, replaces: true,
			osFolder: osFolder{tryLock: func(*os.File) (bool, error) { return false, errNotSupported }}},
	}
	for _, err := range slices.Concat([]error{errors.ErrUnsupported}, noDirectorySync) {
		all["directory sync: "+err.Error()] = lackingFolder{noSyncDir: &os.PathError{Op: "sync", Err: err}}
	}
	for _, err := range []error{errors.ErrUnsupported, syscall.EINVAL} {
		all["sync: "+err.Error()] = lackingFolder{noSync: &os.PathError{Op: "sync", Err: err}}
	}
	for _, err := range []error{errors.ErrUnsupported, syscall.EPERM, fs.ErrPermission} {
		all["link: "+err.Error()] = lackingFolder{noLink: &os.LinkError{Op: "link", Err: err}}
	}
	for _, err := range slices.Concat([]error{errors.ErrUnsupported}, noLock) {
		all["lock: "+err.Error()] = lackingFolder{osFolder: osFolder{tryLock: func(*os.File) (bool, error) { return false, err }}}
	}
	return all
}()

// on returns f with the directory of real in place of its own.
func (f lackingFolder) on(real osFolder) folder {
	f.osFolder.root = real.root
	if f.tryLock == nil {
		f.tryLock = tryLock
	}
	return f
}

// TestLacking: the file system lacks an ability. Values are stored, replaced, listed and
// removed nevertheless, and nothing else is left.
func TestLacking(t *testing.T) {
	for name, f := range lacking {
		t.Run(name, func(t *testing.T) {
			path := filledDirectory(t)
			err := inDirectory(t, path, f.on, func(d *Directory) error {
				if err := d.Commit(t.Context(), theChange); err != nil {
					return err
				}
				if got, want := keysOf(t, d), []string{"kept", "new-a", "new-b", "self"}; !slices.Equal(got, want) {
					t.Errorf("List = %q, want %q", got, want)
				}
				want := map[string]string{"kept": "k2", "new-a": "a2", "new-b": "b2", "self": "root 2"}
				if got := valuesIn(t, path); !maps.Equal(got, want) {
					t.Errorf("values = %q, want %q", got, want)
				}
				if got := namesIn(t, path); len(got) != len(want) {
					t.Errorf("files = %q", got)
				}
				writeFile(t, filepath.Join(path, newTemporary()), "left by a writer that was killed")
				return d.Commit(t.Context(), store.Change{Remove: keysOf(t, d)})
			})
			if err != nil {
				t.Error(err)
			}
			if files, err := os.ReadDir(path); err != nil || len(files) != 0 {
				t.Errorf("left are %v, %v", files, err)
			}
		})
	}
}

// TestLackingUndo: even without hard links the old value is back after a failure.
func TestLackingUndo(t *testing.T) {
	path := filledDirectory(t)
	before, names := valuesIn(t, path), namesIn(t, path)
	syncs := 0
	err := inDirectory(t, path, func(f osFolder) folder {
		return lackingFolder{osFolder: f, noLink: errors.ErrUnsupported}
	}, func(d *Directory) error {
		d.fs = failingSync{d.fs, &syncs}
		return d.Commit(t.Context(), theChange)
	})
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("Commit: %v, want EIO", err)
	}
	checkNotApplied(t, "second sync of names failed", path, names, before)
}

// failingSync fails from the second sync of names on.
type failingSync struct {
	folder
	syncs *int
}

func (f failingSync) syncDir() error {
	if *f.syncs++; *f.syncs > 1 {
		return &os.PathError{Op: "sync", Err: syscall.EIO}
	}
	return nil
}

// TestLackingAll: a file system can neither link, nor sync, nor lock, and has names in another case. Within a process
// the contract of stores still holds.
func TestLackingAll(t *testing.T) {
	all := lackingFolder{
		osFolder:  osFolder{tryLock: func(*os.File) (bool, error) { return false, errors.ErrUnsupported }},
		noSyncDir: errors.ErrUnsupported, noSync: errors.ErrUnsupported, noLink: errors.ErrUnsupported, upper: true,
	}
	storetest.Run(t, func(t *testing.T) store.Store {
		d, err := FileStore(t.TempDir()).open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		d.fs = all.on(d.fs.(osFolder))
		return d
	}, storetest.Options{LargeValue: 1 << 20, Keys: 100})
}

// TestNoLock: even without locks the commits of a process exclude each other, by whatever path they
// know the directory.
func TestNoLock(t *testing.T) {
	path := t.TempDir()
	if err := FileStore(path).Store(t.Context(), "n", []byte("0")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var lost atomic.Int32
	without := func(f osFolder) folder {
		f.tryLock = func(*os.File) (bool, error) { return false, errors.ErrUnsupported }
		return f
	}
	for i := range 4 {
		wg.Go(func() {
			path := path + strings.Repeat(string(os.PathSeparator)+".", i)
			for done := 0; done < 20; {
				err := inDirectory(t, path, without, func(d *Directory) error {
					old, err := d.Load(t.Context(), "n")
					if err != nil {
						return err
					}
					n, _ := strconv.Atoi(string(old))
					return d.Commit(t.Context(), store.Change{
						Guard: &store.Guard{Key: "n", Value: old},
						Put:   []store.Entry{{Key: "n", Value: []byte(strconv.Itoa(n + 1))}},
					})
				})
				switch {
				case err == nil:
					done++
				case errors.Is(err, store.ErrConflict):
					lost.Add(1)
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got, err := FileStore(path).Load(t.Context(), "n"); err != nil || string(got) != "80" {
		t.Errorf("n = %q, %v, want 80", got, err)
	}
	if len(turns.all) != 0 {
		t.Errorf("%d turns are left", len(turns.all))
	}
}

// TestOtherCase: a name in another case that isn't the key's file is foreign.
func TestOtherCase(t *testing.T) {
	path := t.TempDir()
	s := FileStore(path)
	if err := s.Store(t.Context(), "j", []byte("1")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(path, nameOf("j"))
	upper := filepath.Join(path, strings.ToUpper(nameOf("j")))
	if _, err := os.Stat(upper); err == nil {
		t.Skip("this file system finds names in any case: TestLacking has that")
	}
	if err := os.Link(file, upper); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(path, strings.ToUpper(nameOf("k"))), "foreign")
	if got := keysOf(t, s); !slices.Equal(got, []string{"j"}) {
		t.Errorf("List = %q", got)
	}
}
