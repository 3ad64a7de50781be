package filestore

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// readAhead is how many files LoadMany opens, and has the system begin to read, before it reads
// them. It matters if they come from disk, and does as much as reading as many at once, which costs a
// fifth more processor time for goroutines that wait for each other (docs/performance.md).
const readAhead = 16

// prefetch has the kernel begin to read the file, and returns at once.
func (osFolder) prefetch(file fs.File) {
	_ = control(file.(*os.File), func(fd int) error { return unix.Fadvise(fd, 0, 0, unix.FADV_WILLNEED) }) // a hint
}
