//go:build !js

package filestore

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"strings"
)

// temporaryPrefix begins the names of temporary files: hex of "tmp" follows.
const temporaryPrefix = ownPrefix + "746d70"

// newTemporary returns a new name for a temporary file. Such files exist only while
// their maker holds the lock.
func newTemporary() string {
	var id [8]byte
	rand.Read(id[:])
	return temporaryPrefix + hex.EncodeToString(id[:])
}

// isTemporary reports whether that is the name of a temporary file, in any case.
func isTemporary(name string) bool {
	return strings.HasPrefix(strings.ToLower(name), temporaryPrefix)
}

// removeTemporary removes a temporary file, if it is there. One that can't be
// removed does no harm, and is left to a later change.
func (d *Directory) removeTemporary(name string) {
	if err := d.fs.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.swept.Store(false)
	}
}

// removeTemporaries removes the temporary files of writers that didn't live to
// do so, if there can be any. The caller holds the lock.
func (d *Directory) removeTemporaries() {
	if d.swept.Swap(true) {
		return
	}
	files, _ := d.readDir()
	for _, file := range files {
		if isTemporary(file.Name()) {
			d.removeTemporary(file.Name())
		}
	}
}

// tidyIfEmpty removes the files that this package made besides values from a directory that
// holds no value. The caller holds the lock, and no longer once the
// lock file is gone: it makes no change after that.
func (d *Directory) tidyIfEmpty() {
	dir, err := d.fs.openDir()
	if err != nil {
		return
	}
	defer dir.Close()
	const batch = 64 // most directories that aren't empty show that in the first
	var temporary []string
	for {
		files, err := dir.ReadDir(batch)
		for _, file := range files {
			if _, ok := fileKey(file.Name()); ok && d.isValue(file) {
				return
			}
			if isTemporary(file.Name()) {
				temporary = append(temporary, file.Name())
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
	}
	for _, name := range temporary {
		d.removeTemporary(name)
	}
	_ = d.fs.remove(lockName) // it does no harm
}
