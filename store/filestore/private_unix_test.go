//go:build unix

package filestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// TestOpenPrivate: OpenPrivate refuses directories into which other users can put files,
// and FileStore doesn't.
func TestOpenPrivate(t *testing.T) {
	const nobody = 65534
	for _, tt := range []struct {
		name  string
		mode  os.FileMode
		owner int // -1 for this process's
		want  error
	}{
		{"private", 0700, -1, nil},
		{"read by others", 0755, -1, nil},
		{"written by the group", 0775, -1, nil},
		{"written by others", 0757, -1, ErrUnsafeDirectory},
		{"written by others, sticky", 0777 | os.ModeSticky, -1, ErrUnsafeDirectory},
		{"of another user", 0700, nobody, ErrUnsafeDirectory},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := t.TempDir()
			if tt.owner >= 0 {
				if err := os.Chown(path, tt.owner, -1); err != nil {
					t.Skipf("only root can give a directory away: %v", err)
				}
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := FileStore(path).Store(t.Context(), "a", []byte("1")); err != nil {
				t.Errorf("Store: %v", err)
			}
			d, err := OpenPrivate(path)
			if !errors.Is(err, tt.want) {
				t.Fatalf("OpenPrivate: %v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			defer d.Close()
			if got, err := d.Load(t.Context(), "a"); err != nil || string(got) != "1" {
				t.Errorf("Load = %q, %v", got, err)
			}
		})
	}
	if _, err := OpenPrivate(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenPrivate of an absent directory: %v", err)
	}
}

// TestFlip: the path is switched between a private directory and one that everybody can write
// to. Nothing is read from the latter, and nothing is written there.
func TestFlip(t *testing.T) {
	home := t.TempDir()
	ours, theirs := filepath.Join(home, "ours"), filepath.Join(home, "theirs")
	for path, mode := range map[string]os.FileMode{ours: 0700, theirs: 0777} {
		if err := os.Mkdir(path, 0700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := FileStore(path).Store(t.Context(), "self", []byte(filepath.Base(path))); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(home, "path")
	flip := func(target string) {
		if err := errors.Join(os.Symlink(target, path+"new"), os.Rename(path+"new", path)); err != nil {
			t.Error(err)
		}
	}
	flip(ours)
	ctx, cancel := context.WithCancel(t.Context())
	flipped := make(chan struct{})
	go func() {
		defer close(flipped)
		for ctx.Err() == nil {
			flip(theirs)
			flip(ours)
		}
	}()
	opened, refused := 0, 0
	for opened < 500 || refused < 500 {
		d, err := OpenPrivate(path)
		if errors.Is(err, ErrUnsafeDirectory) {
			refused++
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		opened++
		if got, err := d.Load(t.Context(), "self"); err != nil || string(got) != "ours" {
			t.Fatalf("Load = %q, %v", got, err)
		}
		if opened%50 == 0 {
			if err := d.Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "written"}}}); err != nil {
				t.Fatal(err)
			}
		}
		d.Close()
	}
	cancel()
	<-flipped
	if _, err := FileStore(theirs).Load(t.Context(), "written"); !errors.Is(err, store.ErrKeyNotFound) {
		t.Errorf("what was written went elsewhere: %v", err)
	}
}

// TestClosed: a Directory that was closed reports that.
func TestClosed(t *testing.T) {
	d, err := OpenPrivate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	_, loadErr := d.Load(t.Context(), "a")
	for call, err := range map[string]error{"Load": loadErr, "Store": d.Store(t.Context(), "a", nil)} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: %v, want fs.ErrClosed", call, err)
		}
	}
}
