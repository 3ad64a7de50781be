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

// temporaryPrefix begins the names of temporary files. Its second part is the hex of "tmp".
const temporaryPrefix = ownPrefix + "746d70"

// newTemporary returns a new name for a temporary file. Such files exist only while
// their maker holds the lock.
func newTemporary() string {
	var id [8]byte
	rand.Read(id[:])
	return temporaryPrefix + hex.EncodeToString(id[:])
}

// isTemporary reports whether name is the name of a temporary file, in upper or lower case.
func isTemporary(name string) bool {
	return strings.HasPrefix(strings.ToLower(name), temporaryPrefix)
}

// removeTemporary removes a temporary file, if it exists. A file that can't be
// removed does no harm, and a later change will try again.
func (d *Directory) removeTemporary(name string) {
	if err := d.fs.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.swept.Store(false)
	}
}

// removeTemporaries removes the temporary files of writers that were killed,
// if there may be any. The caller holds the lock.
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

// tidyIfEmpty removes this package's own files from a directory that
// holds no value. The caller holds the lock, but loses it with the
// lock file. So it must make no change afterwards.
func (d *Directory) tidyIfEmpty() {
	dir, err := d.fs.openDir()
	if err != nil {
		return
	}
	defer dir.Close()
	const batch = 64 // the first batch usually shows that a directory isn't empty
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
