package filestore

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// prefetch has the kernel begin to read the file, and returns at once.
func (osFileSystem) prefetch(path string) {
	f, err := open(path, os.O_RDONLY|syscall.O_NONBLOCK)
	if err != nil {
		return // reading the file will tell
	}
	defer f.Close()
	_ = unix.Fadvise(f.fd, 0, 0, unix.FADV_WILLNEED) // a hint
}
