//go:build unix

package filestore

import (
	"os"

	"golang.org/x/sys/unix"
)

// nonblock makes the opening of a pipe not wait for a writer.
const nonblock = unix.O_NONBLOCK

// unlockFile does nothing, since closing the file unlocks it.
func unlockFile(*os.File) {}

// control runs a system call on file, and repeats it while signals interrupt it.
func control(file *os.File, call func(fd int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	ctlErr := conn.Control(func(fd uintptr) {
		for err = call(int(fd)); err == unix.EINTR; {
			err = call(int(fd))
		}
	})
	if ctlErr != nil {
		return ctlErr
	}
	return err
}
