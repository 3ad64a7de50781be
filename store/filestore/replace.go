//go:build !js

package filestore

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/netmapcache/netmapcache/store"
)

// replace gives f, the last entry of a change, its name, and makes the name durable.
// If that fails, the file that had the name gets it back.
func (d *Directory) replace(f newFile) error {
	backup, isNew := d.backUp(f)
	if backup != "" {
		defer d.removeTemporary(backup)
	}
	err := d.fs.rename(f.temp, f.name)
	if err != nil {
		// A network file system may have renamed it and lost the answer.
		if _, missing := d.fs.lstat(f.temp); missing == nil {
			return fmt.Errorf("store %q: %w", f.key, err)
		}
	} else if err = d.syncNames(); err == nil {
		return nil
	}
	var undoErr error
	switch {
	case backup != "":
		undoErr = d.fs.rename(backup, f.name)
	case isNew:
		undoErr = d.fs.remove(f.name)
	default:
		undoErr = errors.New("there is no copy of the value before")
	}
	if undoErr != nil && !errors.Is(undoErr, fs.ErrNotExist) {
		undoErr = fmt.Errorf("undo %q: %w", f.key, undoErr)
	} else {
		undoErr = nil
	}
	return errors.Join(fmt.Errorf("store %q: %w", f.key, err), undoErr)
}

// backUp gives the file that f will replace a second name, and returns that name. If there is no such
// file, backup is empty and isNew is true. If the file can be neither linked nor copied, backup is empty, and f
// may replace the file nevertheless.
func (d *Directory) backUp(f newFile) (backup string, isNew bool) {
	backup = newTemporary()
	err := d.fs.link(f.name, backup)
	if err == nil {
		return backup, false
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", true
	}
	// The file system may have no hard links.
	value, err := d.read(d.open(f.key))
	if errors.Is(err, store.ErrKeyNotFound) {
		return "", true
	}
	if err == nil {
		err = d.copyTo(backup, value)
	}
	if err != nil {
		d.removeTemporary(backup)
		return "", false
	}
	return backup, false
}

func (d *Directory) copyTo(name string, value []byte) error {
	file, err := d.fs.create(name)
	if err != nil {
		return err
	}
	if _, err := file.Write(value); err != nil {
		file.Close()
		return err
	}
	return syncAll([]openFile{{file, name}})
}
