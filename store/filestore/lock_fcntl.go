//go:build aix

package filestore

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock tries to lock file. It returns false if another process has the lock.
// Such a lock belongs to the process, and ends when the process closes the file, however often it has it open.
func tryLock(file *os.File) (locked bool, err error) {
	whole := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err = control(file, func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &whole) })
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}
