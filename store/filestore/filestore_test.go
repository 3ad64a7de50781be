//go:build !js

package filestore

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/storetest"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
)

func TestConformance(t *testing.T) {
	opts := storetest.Options{
		Reopen: func(t *testing.T, s store.Store) store.Store { return s.(FileStore) },
		Keys:   200, // each write waits for the disk
	}
	switch runtime.GOOS {
	case "wasip1":
		// Node.js 20 can crash in its own garbage collector (v8::internal::Heap::ReportExternalMemoryPressure)
		// when the memory of a program grows large.
		opts.LargeValue = 1 << 20
	case "windows":
		// Wine asks another process for each call.
		opts.LargeValue, opts.Keys, opts.Workers, opts.Rounds, opts.Cases = 1<<20, 20, 8, 2, 5
	}
	storetest.Run(t, func(t *testing.T) store.Store { return FileStore(t.TempDir()) }, opts)
}

// nameOf returns the name of key's file.
func nameOf(key string) string { return hex.EncodeToString([]byte(key)) }

// keysOf returns all keys that s lists.
func keysOf(t *testing.T, s store.Store) []string {
	t.Helper()
	var keys []string
	for key, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	return keys
}

// namesIn returns the names of all files in a directory but the lock.
func namesIn(t *testing.T, path string) []string {
	t.Helper()
	files, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if file.Name() != lockName {
			names = append(names, file.Name())
		}
	}
	return names
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0644); err != nil {
		t.Fatal(err)
	}
}

// TestForeignFiles: a file that isn't a value is not listed, not changed, and blocks
// nothing.
func TestForeignFiles(t *testing.T) {
	path := t.TempDir()
	s := FileStore(path)
	if err := s.Store(t.Context(), "own", []byte("1")); err != nil {
		t.Fatal(err)
	}
	files := []string{
		".DS_Store", "notes.txt", "6f776e.tmp1", "6f776", "zz", "..a",
		"00", "0061", ownPrefix + nameOf("other program"),
		lockName + "00",
	}
	for _, name := range files {
		writeFile(t, filepath.Join(path, name), "foreign")
	}
	for _, name := range []string{"folder", nameOf("folder")} {
		if err := os.Mkdir(filepath.Join(path, name), 0700); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(t.TempDir(), "outside")
	writeFile(t, outside, "not to be read")
	want := []string{"own"}
	if runtime.GOOS != "windows" && runtime.GOOS != "wasip1" { // which permit no such links
		for name, target := range map[string]string{
			nameOf("dangling"):  "nowhere",
			nameOf("loop"):      nameOf("loop"),
			nameOf("to-own"):    nameOf("own"),
			nameOf("elsewhere"): outside,
			nameOf("to-dir"):    "folder",
		} {
			if err := os.Symlink(target, filepath.Join(path, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := keysOf(t, s); !slices.Equal(got, want) {
		t.Errorf("List = %q, want %q", got, want)
	}

	before := namesIn(t, path)
	if err := s.Commit(t.Context(), store.Change{Remove: []string{"\x00a", "\x00other program", "\x00lock"}}); err != nil {
		t.Errorf("Commit: %v", err)
	}
	if err := s.Remove(t.Context(), "\x00lock"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	if got, err := s.Load(t.Context(), "\x00a"); !errors.Is(err, store.ErrKeyNotFound) {
		t.Errorf("Load = %q, %v, want ErrKeyNotFound", got, err)
	}
	if got := namesIn(t, path); !slices.Equal(got, before) {
		t.Errorf("files = %q, want %q", got, before)
	}
	if _, err := os.Stat(filepath.Join(path, lockName)); err != nil {
		t.Errorf("the lock file: %v", err)
	}
}

// TestDirectoryForFile: a directory that has a key's name is an error that says
// so, and stays.
func TestDirectoryForFile(t *testing.T) {
	path := t.TempDir()
	s := FileStore(path)
	if err := os.Mkdir(filepath.Join(path, nameOf("dir")), 0700); err != nil {
		t.Fatal(err)
	}
	if err := s.Store(t.Context(), "root", []byte("1")); err != nil {
		t.Fatal(err)
	}
	_, loadErr := s.Load(t.Context(), "dir")
	for call, err := range map[string]error{
		"Load":   loadErr,
		"Store":  s.Store(t.Context(), "dir", nil),
		"Remove": s.Remove(t.Context(), "dir"),
		"Commit": s.Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "new"}, {Key: "dir"}, {Key: "root"}}}),
	} {
		if err == nil || errors.Is(err, store.ErrKeyNotFound) || !strings.Contains(err.Error(), `"dir"`) {
			t.Errorf("%s: %v, want an error that names the key", call, err)
		}
		if runtime.GOOS != "windows" && !errors.Is(err, syscall.EISDIR) && !errors.Is(err, syscall.EEXIST) {
			t.Errorf("%s: %v, want the error of the system", call, err)
		}
	}
	if got, want := namesIn(t, path), []string{nameOf("dir"), nameOf("new"), nameOf("root")}; !slices.Equal(got, want) {
		t.Errorf("files = %q, want %q", got, want)
	}
	if got, err := s.Load(t.Context(), "root"); err != nil || string(got) != "1" {
		t.Errorf(`Load("root") = %q, %v`, got, err)
	}
}

// TestModes: only the owner can read files, replaced files included.
func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	path := t.TempDir()
	s := FileStore(path)
	writeFile(t, filepath.Join(path, nameOf("replaced")), "0")
	if err := s.Store(t.Context(), "stored", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "committed"}, {Key: "replaced"}}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{nameOf("stored"), nameOf("committed"), nameOf("replaced"), lockName} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode() != 0600 {
			t.Errorf("%s has mode %v, want 0600", name, info.Mode())
		}
	}
}

// TestAbsentDirectory: a directory that doesn't exist reads as an empty one, and
// can't be written.
func TestAbsentDirectory(t *testing.T) {
	s := FileStore(filepath.Join(t.TempDir(), "absent"))
	if got := keysOf(t, s); len(got) != 0 {
		t.Errorf("List = %q", got)
	}
	_, loadErr := s.Load(t.Context(), "a")
	var manyErr error
	for _, manyErr = range s.LoadMany(t.Context(), []string{"a", "b"}) {
	}
	for call, err := range map[string]error{"Load": loadErr, "LoadMany": manyErr} {
		if !errors.Is(err, store.ErrKeyNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want ErrKeyNotFound and fs.ErrNotExist", call, err)
		}
	}
	if err := s.Remove(t.Context(), "a"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	for call, err := range map[string]error{
		"Store":  s.Store(t.Context(), "a", nil),
		"Commit": s.Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "a"}}}),
	} {
		if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrKeyNotFound) || !strings.Contains(err.Error(), string(s)) {
			t.Errorf("%s: %v, want fs.ErrNotExist and the path", call, err)
		}
	}
}

// TestFileForDirectory: a path that is a file is an error everywhere.
func TestFileForDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	writeFile(t, path, "")
	s := FileStore(path)
	for key, err := range s.List(t.Context(), "") {
		if err == nil {
			t.Errorf("List yields %q", key)
		}
	}
	if err := s.Store(t.Context(), "a", nil); err == nil {
		t.Error("Store succeeded")
	}
	if err := s.Commit(t.Context(), store.Change{}); err == nil {
		t.Error("Commit succeeded")
	}
}

// TestUpstream: upstream's FileStore and this one read what the other wrote,
// and this package's other files don't disturb upstream.
func TestUpstream(t *testing.T) {
	path := t.TempDir()
	ours, theirs := FileStore(path), upstream.FileStore(path)
	longest := "peer-" + strings.Repeat("n", 122) // the longest that upstream can write
	for _, key := range []string{"self", longest, "user-\xff"} {
		if err := theirs.Store(t.Context(), key, []byte("theirs "+key)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ours.Store(t.Context(), "ours", []byte("1")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(path, newTemporary()), "left by a writer that was killed")

	want := []string{"ours", longest, "self", "user-\xff"}
	if got := keysOf(t, ours); !slices.Equal(got, want) {
		t.Errorf("our List = %q, want %q", got, want)
	}
	for _, key := range want[1:] {
		if got, err := ours.Load(t.Context(), key); err != nil || string(got) != "theirs "+key {
			t.Errorf("our Load(%q) = %q, %v", key, got, err)
		}
	}
	if got, err := theirs.Load(t.Context(), "ours"); err != nil || string(got) != "1" {
		t.Errorf("their Load = %q, %v", got, err)
	}
	listed := keysOf(t, theirs)
	listed = slices.DeleteFunc(listed, func(key string) bool { return key[0] == 0 })
	if !slices.Equal(listed, want) {
		t.Errorf("their List = %q, want %q and keys that begin with 0x00", listed, want)
	}

	if err := ours.Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "self"}}, Remove: want[1:2]}); err != nil {
		t.Fatal(err)
	}
	if err := theirs.Remove(t.Context(), "ours"); err != nil {
		t.Fatal(err)
	}
	if got, want := keysOf(t, ours), []string{"self", "user-\xff"}; !slices.Equal(got, want) {
		t.Errorf("our List = %q, want %q", got, want)
	}
	if got := namesIn(t, path); len(got) != 2 {
		t.Errorf("files = %q, want no temporary ones", got)
	}
}

// TestOtherPaths: writers that know the directory by different paths exclude
// each other.
func TestOtherPaths(t *testing.T) {
	switch runtime.GOOS {
	case "windows":
		t.Skip("making links needs a privilege on Windows")
	case "wasip1":
		t.Skip("links to absolute paths can't be made here")
	}
	path := t.TempDir()
	other := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, other); err != nil {
		t.Fatal(err)
	}
	d, err := FileStore(path).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	unlock, err := d.fs.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() { waiting <- FileStore(other+"/.").Store(ctx, "a", nil) }()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("Store beside a lock: %v, want context.Canceled", err)
	}
	go func() { waiting <- FileStore(other+"/.").Store(t.Context(), "a", nil) }()
	unlock()
	if err := <-waiting; err != nil {
		t.Errorf("Store after the lock: %v", err)
	}
	if got := keysOf(t, FileStore(path)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("List = %q", got)
	}
}
