//go:build unix && !darwin

package filestore

import (
	"os"
	"syscall"
)

// syncDir makes the names in the directory durable. (For files, fdatasync would save
// nothing: a new one's size and blocks have to be written with it.)
func syncDir(path string) error {
	dir, err := open(path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer dir.Close()
	return retry("sync", path, func() error { return syscall.Fsync(dir.fd) })
}
