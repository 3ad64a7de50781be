//go:build !js

package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"strings"

	"github.com/netmapcache/netmapcache/store"
)

func (d directory) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := ctx.Err(); err != nil {
			yield("", err)
			return
		}
		if err := d.fs.checkOwner(d.path); err != nil {
			yield("", fmt.Errorf("list keys: %w", err))
			return
		}
		// They are in order of name, and the order of hex is that of keys.
		files, err := d.fs.readDir(d.path)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				yield("", fmt.Errorf("list keys: %w", err))
			}
			return
		}
		for _, file := range files {
			if strings.HasPrefix(file.Name(), temporaryPrefix) {
				d.swept.Store(false)
			}
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

// isValue reports whether file is a regular file or a link to one.
func (d directory) isValue(file fs.DirEntry) bool {
	if file.Type()&fs.ModeSymlink == 0 {
		return file.Type().IsRegular()
	}
	target, err := d.fs.stat(filepath.Join(d.path, file.Name()))
	return err == nil && target.Mode().IsRegular()
}

func (d directory) Load(ctx context.Context, key string) ([]byte, error) {
	if err := d.fs.checkOwner(d.path); err != nil {
		return nil, fmt.Errorf("load %q: %w", key, err)
	}
	return d.load(ctx, key)
}

// load is Load in a directory whose owner was checked.
func (d directory) load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, ok := d.file(key)
	if !ok {
		return nil, fmt.Errorf("key %q: %w", key, store.ErrKeyNotFound)
	}
	value, err := d.fs.readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key %q: %w", key, store.ErrKeyNotFound)
	} else if err != nil {
		return nil, fmt.Errorf("load %q: %w", key, err)
	}
	return value, nil
}

// readAhead is how many files LoadMany tells the system of before it reads them. It matters
// if they come from disk, and does as much as reading as many at once, which costs a
// fifth more processor time for goroutines that wait for each other (docs/performance.md).
const readAhead = 16

func (d directory) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := d.fs.checkOwner(d.path); err != nil {
			yield(nil, fmt.Errorf("load: %w", err))
			return
		}
		ahead := 0
		for i, key := range keys {
			for ; ahead < min(i+readAhead, len(keys)); ahead++ {
				if path, ok := d.file(keys[ahead]); ok {
					d.fs.prefetch(path)
				}
			}
			value, err := d.load(ctx, key)
			if !yield(value, err) || err != nil && !errors.Is(err, store.ErrKeyNotFound) {
				return
			}
		}
	}
}
