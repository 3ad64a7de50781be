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
	"sync"

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

// readAhead is how many files LoadMany reads at once. It matters if they come from
// disk: 320 files of 20 kB took 47 ms one by one, 25 ms 16 at once, 24 ms 64 at
// once; from memory 11, 10 and 10 ms (best of 25 runs each, two cores, ext4).
const readAhead = 16

func (d directory) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := d.fs.checkOwner(d.path); err != nil {
			yield(nil, fmt.Errorf("load: %w", err))
			return
		}
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
					value, err := d.load(ctx, key)
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
