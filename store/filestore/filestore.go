//go:build !js

// Package filestore keeps a store in a directory of the file system.
//
// Each key is a file named by the lower-case hex of the key, as in FileStore of
// tailscale.com/ipn/ipnlocal/netmapcache: either reads what the other wrote.
// Unlike there, writes are atomic and durable, and processes may share
// a directory.
//
// Other files in the directory are left alone. Those that this package makes
// besides, a lock and temporary files, have hex names too, because upstream's
// FileStore can't list a directory that holds any other name. They begin with
// the byte 0x00, as no valid key does. A directory whose last value was removed
// holds none of them.
//
// # What depends on the system
//
// Some systems and file systems lack an operation that this package uses. It then
// stores what can be stored, and promises less:
//   - Where names can't be made durable (Windows, Plan 9, and file systems that
//     refuse to sync a directory, such as gocryptfs and some network file systems)
//     a value that was written may be missing after a power cut, and the old
//     one be there instead.
//   - Where files can't be locked (Plan 9, WASI, NFS without a lock service, some FUSE
//     file systems) only the writers within a process wait for each other. Commits of
//     several processes may then overwrite each other's.
//   - Where a file can't replace another in one step (Plan 9) a process that is killed
//     while it replaces a value leaves none.
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
// The caller sees to it that the directory exists. As long as it doesn't, it reads as
// empty, with errors of Load that satisfy errors.Is(err, [fs.ErrNotExist]) besides, and
// writing reports an error that satisfies that too and names the directory.
//
// When a write has returned nil it survives a power cut, as far as the operating
// system, the file system and the disk keep their word. New files have mode 0600.
//
// Writers of one directory wait for each other, within a process and across
// processes, by a lock on a file in it. Readers don't wait. On Windows, where a program that
// looks at a file can keep others from replacing it, a method tries for some 2 s before it
// reports that.
//
// Who may put files into the directory decides what is read from it. FileStore
// doesn't look at that, and doesn't mind if the path leads elsewhere from one call to the
// next: see [OpenPrivate] for what does. Only regular files are values; links, pipes and devices are
// neither followed nor opened.
//
// Errors of the operating system are wrapped.
type FileStore string

// List implements part of [store.Store]. It reads the directory once, when the
// iteration begins. Files that can't be values are skipped: those whose
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

// LoadMany implements [store.BulkLoader]. On Linux the system reads up to 16 files ahead.
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

// loadError returns what loading key reports if the directory can't be opened.
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

// Commit implements [store.Committer]. If a change fails when all but the last entry of ch.Put
// have their names, these stay. If the last entry has its name and that can't be made durable, it
// gets its old value back; if that fails as well, which the error then tells, the
// change may be in force. ctx is heeded until the new files are written. A value of more
// than [store.MaxValueLen] bytes is refused.
//
// The first Commit of a process, and the first after a List that has seen one, also
// removes the temporary files of writers that were killed.
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

// sweptPaths holds the swept of each FileStore that this process has used.
var sweptPaths sync.Map // FileStore to *atomic.Bool
