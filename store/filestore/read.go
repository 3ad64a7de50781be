//go:build !js

package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/netmapcache/netmapcache/store"
)

// List implements part of [store.Store], as [FileStore.List].
func (d *Directory) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := ctx.Err(); err != nil {
			yield("", err)
			return
		}
		files, err := d.readDir()
		if err != nil {
			yield("", fmt.Errorf("list keys: %w", err))
			return
		}
		var keys []string
		for _, file := range files {
			if isTemporary(file.Name()) {
				d.swept.Store(false)
			}
			if key, ok := fileKey(file.Name()); ok && strings.HasPrefix(key, prefix) && d.isValue(file) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
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

func (d *Directory) readDir() ([]fs.DirEntry, error) {
	dir, err := d.fs.openDir()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.ReadDir(-1)
}

// isValue reports whether file, which has a key's name, is that key's value. Some file systems return
// names in another case than they were created in, and find them in any case.
func (d *Directory) isValue(file fs.DirEntry) bool {
	if !file.Type().IsRegular() {
		return false
	}
	name := strings.ToLower(file.Name())
	if name == file.Name() {
		return true
	}
	asListed, err := d.fs.lstat(file.Name())
	if err != nil {
		return false
	}
	byKey, err := d.fs.lstat(name)
	return err == nil && os.SameFile(asListed, byKey)
}

// Load implements part of [store.Store].
func (d *Directory) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return d.read(d.open(key))
}

// LoadMany implements [store.BulkLoader], as [FileStore.LoadMany].
func (d *Directory) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var ahead []opened
		defer func() {
			for _, o := range ahead {
				o.close()
			}
		}()
		for i := range keys {
			for _, key := range keys[min(i+len(ahead), len(keys)):min(i+readAhead, len(keys))] {
				o := d.open(key)
				if o.err == nil {
					d.fs.prefetch(o.file)
				}
				ahead = append(ahead, o)
			}
			next := ahead[0]
			ahead = ahead[1:]
			if err := ctx.Err(); err != nil {
				next.close()
				yield(nil, err)
				return
			}
			value, err := d.read(next)
			if !yield(value, err) || err != nil && !errors.Is(err, store.ErrKeyNotFound) {
				return
			}
		}
	}
}

// opened is the open file of a key, or the error of opening it.
type opened struct {
	key  string
	file fs.File
	err  error
}

func (o opened) close() {
	if o.err == nil {
		o.file.Close()
	}
}

func (d *Directory) open(key string) opened {
	name, ok := fileName(key)
	if !ok {
		return opened{key, nil, fmt.Errorf("key %q: %w", key, store.ErrKeyNotFound)}
	}
	file, err := d.fs.open(name)
	switch {
	case isAbsent(err):
		err = fmt.Errorf("key %q: %w", key, store.ErrKeyNotFound)
	case err != nil:
		err = fmt.Errorf("load %q: %w", key, err)
	}
	return opened{key, file, err}
}

// isAbsent reports whether err says that there is no file of that name, or that there can't be one.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENAMETOOLONG)
}

// read returns the content of the file, up to its size now, and closes it.
func (d *Directory) read(o opened) ([]byte, error) {
	if o.err != nil {
		return nil, o.err
	}
	defer o.close()
	info, err := o.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("load %q: %w", o.key, err)
	}
	if info.Size() > store.MaxValueLen {
		return nil, fmt.Errorf("load %q: file of %d bytes: %w", o.key, info.Size(), store.ErrDamaged)
	}
	value := make([]byte, info.Size())
	n, err := io.ReadFull(o.file, value)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("load %q: %w", o.key, err)
	}
	return value[:n], nil
}
