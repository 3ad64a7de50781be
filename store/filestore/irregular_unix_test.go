//go:build unix

package filestore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// irregular are ways to put something at a path that isn't a regular file. Each is given the path of a file
// elsewhere.
var irregular = map[string]func(path, elsewhere string) error{
	"link":          func(path, elsewhere string) error { return os.Symlink(elsewhere, path) },
	"dangling link": func(path, elsewhere string) error { return os.Symlink(elsewhere+" that isn't", path) },
	"link to itself": func(path, _ string) error {
		return os.Symlink(filepath.Base(path), path)
	},
	"link to a value": func(path, _ string) error { return os.Symlink(nameOf("other"), path) },
	"link to a device": func(path, _ string) error {
		return os.Symlink("/dev/zero", path)
	},
	"pipe": func(path, _ string) error { return syscall.Mkfifo(path, 0600) },
}

// TestIrregular: under a key's name there is something else than a regular file. It counts as damage, is neither followed
// nor waited for, and a value can replace it.
func TestIrregular(t *testing.T) {
	for name, put := range irregular {
		t.Run(name, func(t *testing.T) {
			path, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
			writeFile(t, elsewhere, "secret")
			s := FileStore(path)
			if err := s.Store(t.Context(), "other", []byte("1")); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(path, nameOf("a"))
			if err := put(file, elsewhere); err != nil {
				t.Fatal(err)
			}
			if got := keysOf(t, s); !slices.Equal(got, []string{"other"}) {
				t.Errorf("List = %q", got)
			}
			if got, err := s.Load(t.Context(), "a"); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("Load = %q, %v, want ErrDamaged", got, err)
			}
			for value, err := range s.LoadMany(t.Context(), []string{"a"}) {
				if !errors.Is(err, store.ErrDamaged) {
					t.Errorf("LoadMany yields %q, %v, want ErrDamaged", value, err)
				}
			}
			if err := s.Store(t.Context(), "a", []byte("2")); err != nil {
				t.Errorf("Store: %v", err)
			}
			if got, err := s.Load(t.Context(), "a"); err != nil || string(got) != "2" {
				t.Errorf("Load = %q, %v", got, err)
			}
			if err := errors.Join(os.Remove(file), put(file, elsewhere), s.Remove(t.Context(), "a")); err != nil {
				t.Errorf("Remove: %v", err)
			}
			if got := namesIn(t, path); !slices.Equal(got, []string{nameOf("other")}) {
				t.Errorf("files = %q", got)
			}
			if got, err := os.ReadFile(elsewhere); err != nil || string(got) != "secret" {
				t.Errorf("elsewhere = %q, %v", got, err)
			}
		})
	}
}

// TestIrregularLock: under the lock's name there is something else than a regular file. That is an error. It isn't
// followed, nothing is made where it leads to, and it doesn't block.
func TestIrregularLock(t *testing.T) {
	for name, put := range irregular {
		t.Run(name, func(t *testing.T) {
			path, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
			if err := put(filepath.Join(path, lockName), elsewhere); err != nil {
				t.Fatal(err)
			}
			if err := FileStore(path).Store(t.Context(), "a", nil); !errors.Is(err, errNotRegular) {
				t.Errorf("Store: %v, want that the lock is not a regular file", err)
			}
			if files, err := os.ReadDir(filepath.Dir(elsewhere)); err != nil || len(files) > 0 {
				t.Errorf("elsewhere are %v, %v", files, err)
			}
		})
	}
}

// TestIrregularComes: after the check, something else replaces the regular file. It is neither
// followed nor waited for.
func TestIrregularComes(t *testing.T) {
	for name, put := range irregular {
		t.Run(name, func(t *testing.T) {
			path, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
			writeFile(t, elsewhere, "secret")
			writeFile(t, filepath.Join(path, nameOf("other")), "value")
			file := filepath.Join(path, nameOf("a"))
			if err := put(file, elsewhere); err != nil {
				t.Fatal(err)
			}
			root, err := os.OpenRoot(path)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			opened, err := osFolder{root, tryLock}.openRegular(nameOf("a"))
			if err != nil {
				return
			}
			defer opened.Close()
			// It is in the directory, where whoever put the link could have put anything.
			info, err := opened.Stat()
			if other, otherErr := root.Stat(nameOf("other")); err != nil || otherErr != nil || !os.SameFile(info, other) {
				t.Errorf("opened %v, %v, %v", info, err, otherErr)
			}
		})
	}
}

// bigFile is a file of any length.
type bigFile struct {
	fs.File
	size int64
}

type bigInfo struct {
	fs.FileInfo
	size int64
}

func (f bigFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return bigInfo{info, f.size}, err
}

func (i bigInfo) Size() int64 { return i.size }

// bigFolder says that all its files have a size.
type bigFolder struct {
	osFolder
	size int64
}

func (f bigFolder) open(name string) (fs.File, error) {
	file, err := f.osFolder.open(name)
	return bigFile{file, f.size}, err
}

// TestBigFile: a file that is larger than any value is damage, and no memory is allocated for it. Storing such a
// value is refused.
func TestBigFile(t *testing.T) {
	path := t.TempDir()
	s := FileStore(path)
	if err := s.Store(t.Context(), "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{store.MaxValueLen + 1, 60 << 30, 7 << 60} {
		with := func(f osFolder) folder { return bigFolder{f, size} }
		err := inDirectory(t, path, with, func(d *Directory) error {
			_, err := d.Load(t.Context(), "a")
			return err
		})
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("Load of %d bytes: %v, want ErrDamaged", size, err)
		}
	}
	if err := s.Store(t.Context(), "a", make([]byte, store.MaxValueLen+1)); err == nil {
		t.Error("a value is stored that can't be loaded")
	}
	if err := os.Truncate(filepath.Join(path, nameOf("a")), 60<<30); err != nil {
		t.Skipf("the file system can't make a file of 60 GiB with nothing in it: %v", err)
	}
	if _, err := s.Load(t.Context(), "a"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("Load of a file of 60 GiB: %v, want ErrDamaged", err)
	}
	if err := s.Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "b"}, {Key: "a"}}}); err != nil {
		t.Errorf("Commit in its place: %v", err)
	}
	if got, err := s.Load(t.Context(), "a"); err != nil || len(got) != 0 {
		t.Errorf("Load = %q, %v", got, err)
	}
}
