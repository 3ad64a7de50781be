//go:build !js

package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/netmapcache/netmapcache/store"
)

// Store implements part of [store.Store].
func (d *Directory) Store(ctx context.Context, key string, value []byte) error {
	return d.Commit(ctx, store.Change{Put: []store.Entry{{Key: key, Value: value}}})
}

// Remove implements part of [store.Store].
func (d *Directory) Remove(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// To remove an absent key needs no permission to write.
	name, ok := fileName(key)
	if !ok {
		return nil
	}
	if _, err := d.fs.lstat(name); isAbsent(err) {
		return nil
	}
	return d.Commit(ctx, store.Change{Remove: []string{key}})
}

// Commit implements [store.Committer], as [FileStore.Commit].
//
// Storing or removing a single key takes the lock too. Otherwise the guard of another writer's
// change might not hold any more when that change is applied, and temporary
// files that are found under the lock could be in use.
func (d *Directory) Commit(ctx context.Context, ch store.Change) error {
	if err := ch.Validate(); err != nil {
		return err
	}
	for _, e := range ch.Put {
		if len(e.Value) > store.MaxValueLen {
			return fmt.Errorf("store %q: value of %d bytes, and %d is the most", e.Key, len(e.Value), store.MaxValueLen)
		}
	}
	unlock, err := d.fs.lock(ctx)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	defer unlock()
	d.removeTemporaries()
	err = d.apply(ctx, ch)
	if err != nil || len(ch.Put) == 0 {
		d.tidyIfEmpty()
	}
	return err
}

// apply applies ch under the lock.
//
// It first writes and syncs all files under temporary names, since that
// is what usually fails. Then it gives all but the last their names, syncs these names,
// gives the last its name, and syncs that.
func (d *Directory) apply(ctx context.Context, ch store.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if g := ch.Guard; g != nil {
		if err := g.Check(d.Load(ctx, g.Key)); err != nil {
			return err
		}
	}
	if len(ch.Put) == 0 {
		return d.removeValues(ch)
	}
	files, err := d.write(ctx, ch.Put)
	defer func() {
		for _, f := range files {
			d.removeTemporary(f.temp)
		}
	}()
	if err != nil {
		return err
	}
	for ; len(files) > 1; files = files[1:] {
		if err := d.fs.rename(files[0].temp, files[0].name); err != nil {
			return fmt.Errorf("store %q: %w", files[0].key, err)
		}
	}
	if len(ch.Put) > 1 {
		if err := d.syncNames(); err != nil {
			return err
		}
	}
	if err := d.replace(files[0]); err != nil {
		return err
	}
	files = nil
	// These removals can't become durable before the change does, and needn't.
	for _, key := range ch.Remove {
		d.removeValue(key) // a later change can remove what remains
	}
	return nil
}

// syncNames makes the names in the directory durable, if the system and the file system can.
func (d *Directory) syncNames() error {
	if err := d.fs.syncDir(); err != nil && !lacks(err, noDirectorySync) {
		return fmt.Errorf("sync names: %w", err)
	}
	return nil
}

// removeValues removes the files of ch.Remove and makes that durable. It also makes durable
// the name that the guard found, since its writer may have been killed before.
func (d *Directory) removeValues(ch store.Change) error {
	if len(ch.Remove) == 0 && ch.Guard == nil {
		return nil
	}
	var errs []error
	for _, key := range ch.Remove {
		errs = append(errs, d.removeValue(key))
	}
	return errors.Join(append(errs, d.syncNames())...)
}

// removeValue removes the file of key. It doesn't remove a directory.
func (d *Directory) removeValue(key string) error {
	name, ok := fileName(key)
	if !ok {
		return nil
	}
	info, err := d.fs.lstat(name)
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "remove", Path: name, Err: syscall.EISDIR}
	}
	if err == nil {
		err = d.fs.remove(name)
	}
	if err != nil && !isAbsent(err) {
		return fmt.Errorf("remove %q: %w", key, err)
	}
	return nil
}
