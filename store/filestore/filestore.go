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
// the byte 0x00, as no valid key does.
package filestore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/netmapcache/netmapcache/store"
)

var (
	_ store.Committer  = FileStore("")
	_ store.BulkLoader = FileStore("")
)

// FileStore is a [store.Store], [store.Committer] and [store.BulkLoader] in the
// directory of that path. The caller sees to it that the directory exists;
// as long as it doesn't, it reads as empty, and writing reports an error that
// satisfies errors.Is(err, [fs.ErrNotExist]).
//
// When a write has returned nil it survives a power cut, as far as the operating
// system and the disk keep their word; on Windows, which can't sync
// a directory, the names of files may come later than their content. New files
// have mode 0600.
//
// Writers of one directory wait for each other, within a process and across
// processes, by a lock on a file in it. Readers don't wait. On Windows a file
// can't be replaced while another process reads it; the write then fails.
//
// Errors of the operating system are wrapped.
type FileStore string

// List implements part of [store.Store]. It reads the directory once, when the
// iteration begins. Files that can't be values are skipped: those whose
// names are not lower-case hex, directories, and links that lead nowhere.
func (s FileStore) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return s.dir().List(ctx, prefix)
}

// Load implements part of [store.Store].
func (s FileStore) Load(ctx context.Context, key string) ([]byte, error) {
	return s.dir().Load(ctx, key)
}

// LoadMany implements [store.BulkLoader]. It reads up to 16 files ahead.
func (s FileStore) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return s.dir().LoadMany(ctx, keys)
}

// Store implements part of [store.Store].
func (s FileStore) Store(ctx context.Context, key string, value []byte) error {
	return s.dir().Store(ctx, key, value)
}

// Remove implements part of [store.Store].
func (s FileStore) Remove(ctx context.Context, key string) error {
	return s.dir().Remove(ctx, key)
}

// Commit implements [store.Committer]. A change that fails is undone. If that fails
// as well, which the error then tells, the last entry of ch.Put may be in force,
// with all the others, or others without it. ctx is heeded until the new files
// are written and get their names.
//
// Commit also removes the temporary files of writers that were killed.
func (s FileStore) Commit(ctx context.Context, ch store.Change) error {
	return s.dir().Commit(ctx, ch)
}

func (s FileStore) dir() directory {
	return directory{path: string(s), fs: osFileSystem{}}
}

// directory does the work of FileStore.
type directory struct {
	path string
	fs   fileSystem
}

// ownPrefix begins the names of files that are not values. It is the hex of a
// byte that begins no valid key.
const ownPrefix = "00"

// maxNameKeyLen is the length in bytes of the longest key that has a file name.
// It is more than store.MaxKeyLen: upstream's FileStore writes longer keys.
const maxNameKeyLen = 127

// file returns the path of key's file. It is false if there can be none.
func (d directory) file(key string) (string, bool) {
	if len(key) == 0 || len(key) > maxNameKeyLen || key[0] == 0 {
		return "", false
	}
	return filepath.Join(d.path, hex.EncodeToString([]byte(key))), true
}

func (d directory) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := ctx.Err(); err != nil {
			yield("", err)
			return
		}
		// ReadDir sorts by name, and the order of hex is that of keys.
		files, err := os.ReadDir(d.path)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				yield("", fmt.Errorf("list keys: %w", err))
			}
			return
		}
		for _, file := range files {
			key, ok := fileKey(file.Name())
			if !ok || !strings.HasPrefix(key, prefix) || !d.isValue(file) {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

// fileKey returns the key whose file has that name. It is false if there is
// none.
func fileKey(name string) (string, bool) {
	if name != strings.ToLower(name) || strings.HasPrefix(name, ownPrefix) {
		return "", false
	}
	key, err := hex.DecodeString(name)
	return string(key), err == nil
}

// isValue reports whether file is a regular file or a link to one.
func (d directory) isValue(file fs.DirEntry) bool {
	if file.Type()&fs.ModeSymlink == 0 {
		return file.Type().IsRegular()
	}
	target, err := os.Stat(filepath.Join(d.path, file.Name()))
	return err == nil && target.Mode().IsRegular()
}

func (d directory) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, ok := d.file(key)
	if !ok {
		return nil, fmt.Errorf("key %q: %w", key, store.ErrKeyNotFound)
	}
	value, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key %q: %w", key, store.ErrKeyNotFound)
	} else if err != nil {
		return nil, fmt.Errorf("load %q: %w", key, err)
	}
	return value, nil
}

// readAhead is how many files LoadMany reads at once.
const readAhead = 16

func (d directory) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		type result struct {
			value []byte
			err   error
		}
		var readers sync.WaitGroup
		defer readers.Wait()
		var slots [readAhead]chan result
		for i := range slots {
			slots[i] = make(chan result, 1)
		}
		started := 0
		for i := range keys {
			for ; started < min(i+readAhead, len(keys)); started++ {
				slot, key := slots[started%readAhead], keys[started]
				readers.Go(func() {
					value, err := d.Load(ctx, key)
					slot <- result{value, err}
				})
			}
			r := <-slots[i%readAhead]
			if err := ctx.Err(); err != nil {
				r = result{err: err}
			}
			if !yield(r.value, r.err) || r.err != nil && !errors.Is(r.err, store.ErrKeyNotFound) {
				return
			}
		}
	}
}

func (d directory) Store(ctx context.Context, key string, value []byte) error {
	ch := store.Change{Put: []store.Entry{{Key: key, Value: value}}}
	if err := ch.Validate(); err != nil {
		return err
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return fmt.Errorf("store %q: %w", key, err)
	}
	defer unlock()
	return d.apply(ctx, ch)
}

func (d directory) Remove(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// Removing what isn't there needs no permission to write, and no directory.
	path, ok := d.file(key)
	if !ok {
		return nil
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return fmt.Errorf("remove %q: %w", key, err)
	}
	defer unlock()
	return d.apply(ctx, store.Change{Remove: []string{key}})
}

func (d directory) Commit(ctx context.Context, ch store.Change) error {
	if err := ch.Validate(); err != nil {
		return err
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	defer unlock()
	d.removeTemporaries()
	if g := ch.Guard; g != nil {
		if err := g.Check(d.Load(ctx, g.Key)); err != nil {
			return err
		}
	}
	return d.apply(ctx, ch)
}

// removeValue removes the file of key. What isn't a value stays.
func (d directory) removeValue(key string) error {
	path, ok := d.file(key)
	if !ok {
		return nil
	}
	info, err := os.Lstat(path)
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "remove", Path: path, Err: syscall.EISDIR}
	}
	if err == nil {
		err = d.fs.remove(path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %q: %w", key, err)
	}
	return nil
}
