//go:build !js

// Package filestore keeps a store in a directory of the file system.
//
// Each key is a file named by the lower-case hex of the key, as in FileStore of
// tailscale.com/ipn/ipnlocal/netmapcache. Each package reads what the other wrote.
// Unlike upstream's, writes are atomic and durable, and processes may share
// a directory.
//
// The package doesn't touch other files in the directory. Its own files that aren't values,
// a lock and temporary files, have hex names too, because upstream's
// FileStore can't list a directory that holds any other name. Their names begin with
// the byte 0x00, and no valid key does. After the last value is removed, the
// directory holds none of them.
//
// # What depends on the system
//
// Some systems and file systems lack an operation that this package uses. The package then
// still stores values, and promises less:
//   - If names can't be made durable (Windows, Plan 9, and file systems that
//     refuse to sync a directory, such as gocryptfs and some network file systems),
//     a written value may be missing after a power cut, with the old
//     value in its place.
//   - If files can't be locked (Plan 9, WASI, NFS without a lock service, some FUSE
//     file systems), only the writers within a process wait for each other. Commits of
//     several processes may then overwrite each other.
//   - If a file can't replace another in one step (Plan 9), a process that is killed
//     while it replaces a value leaves no value.
package filestore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"sync"
	"sync/atomic"

	"github.com/netmapcache/netmapcache/store"
)

var (
	_ store.Committer  = FileStore("")
	_ store.BulkLoader = FileStore("")
)

// FileStore is a [store.Committer] and a [store.BulkLoader] in the directory of that path.
// The caller has to make the directory. If it doesn't exist, the store reads as
// empty, and the errors of Load also satisfy errors.Is(err, [fs.ErrNotExist]).
// Writes report an error that satisfies this too and names the directory.
//
// A write that has returned nil survives a power cut, as far as the operating
// system, the file system and the disk keep their word. New files have mode 0600.
//
// Writers of one directory wait for each other, within a process and across
// processes, by a lock on a file in the directory. Readers don't wait. On Windows a program that
// has a file open can keep others from replacing it. There a method tries for some 2 s before it
// reports that.
//
// Whoever can put files into the directory decides what is read from it. FileStore
// doesn't check who that is, nor that the path leads to the same directory from one call to the
// next. [OpenPrivate] does. Only regular files are values. Links, pipes and devices are
// neither followed nor opened.
//
// Errors of the operating system are wrapped.
type FileStore string

// List implements part of [store.Store]. It reads the directory once, when the
// iteration begins. It skips files that can't be values: those whose
// names are not the hex of a key, and those that are not regular files.
func (s FileStore) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		d, err := s.open(ctx)
		switch {
		case err == nil:
			defer d.Close()
			d.List(ctx, prefix)(yield)
		case !errors.Is(err, fs.ErrNotExist):
			yield("", fmt.Errorf("list keys: %w", err))
		}
	}
}

// Load implements part of [store.Store].
func (s FileStore) Load(ctx context.Context, key string) ([]byte, error) {
	d, err := s.open(ctx)
	if err != nil {
		return nil, loadError(key, err)
	}
	defer d.Close()
	return d.Load(ctx, key)
}

// LoadMany implements [store.BulkLoader]. On Linux it lets the system read up to 16 files ahead.
func (s FileStore) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		d, err := s.open(ctx)
		if err == nil {
			defer d.Close()
			d.LoadMany(ctx, keys)(yield)
			return
		}
		for _, key := range keys {
			if !yield(nil, loadError(key, err)) || !errors.Is(err, fs.ErrNotExist) {
				return
			}
		}
	}
}

// loadError returns the error of loading key if the directory can't be opened.
func loadError(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("key %q: %w: %w", key, store.ErrKeyNotFound, err)
	}
	return fmt.Errorf("load %q: %w", key, err)
}

// Store implements part of [store.Store].
func (s FileStore) Store(ctx context.Context, key string, value []byte) error {
	return s.Commit(ctx, store.Change{Put: []store.Entry{{Key: key, Value: value}}})
}

// Remove implements part of [store.Store].
func (s FileStore) Remove(ctx context.Context, key string) error {
	d, err := s.open(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove %q: %w", key, err)
	}
	defer d.Close()
	return d.Remove(ctx, key)
}

// Commit implements [store.Committer]. It refuses a value of more than [store.MaxValueLen] bytes, and
// heeds ctx until the new files are written.
//
// If ch fails when all but the last entry of ch.Put have their names, these entries stay. If the last
// entry has its name and the name can't be made durable, the key gets its old value back. If that fails as well,
// the error says so, and ch may be in force.
//
// The first Commit of a process also removes the temporary files of writers that were killed, and so
// does the first Commit after a List that has seen such a file.
func (s FileStore) Commit(ctx context.Context, ch store.Change) error {
	d, err := s.open(ctx)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	defer d.Close()
	return d.Commit(ctx, ch)
}

// open opens the directory for one call of a method.
func (s FileStore) open(ctx context.Context) (*Directory, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(cmp.Or(string(s), "."))
	if err != nil {
		return nil, err
	}
	swept, ok := sweptPaths.Load(s)
	if !ok {
		swept, _ = sweptPaths.LoadOrStore(s, new(atomic.Bool))
	}
	return &Directory{osFolder{root, tryLock}, swept.(*atomic.Bool)}, nil
}

// sweptPaths has the field swept for each FileStore that this process has used.
var sweptPaths sync.Map // FileStore to *atomic.Bool
