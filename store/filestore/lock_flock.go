//go:build unix && !aix

package filestore

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock tries to lock file. It returns false if another process has the lock.
func tryLock(file *os.File) (locked bool, err error) {
	err = control(file, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
