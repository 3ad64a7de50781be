//go:build unix || wasip1

package filestore

import (
	"os"
	"syscall"
)

var (
	// noDirectorySync are the errors of systems, besides errors.ErrUnsupported, that can't make names
	// durable: EINVAL of Linux for file systems without the operation, such as SMB
	// until 4.17 (fsync(2); restic's pull request 3752); EBADF of AIX, where the directory would
	// have to be open for writing; ENOTTY of macOS for SMB; EPERM of some FUSE file systems.
	noDirectorySync = []error{syscall.EINVAL, syscall.EBADF, syscall.ENOTTY, syscall.EPERM}

	// noLock are the errors, besides errors.ErrUnsupported, if files can't be locked: ENOLCK of NFS without
	// a lock service.
	noLock = []error{syscall.ENOLCK}
)

// syncDir makes the names in a directory durable. On macOS, where Sync is F_FULLFSYNC, it
// also makes durable all that was handed to the disk before. (For files, fdatasync would save
// nothing, since the size and the blocks of a new file have to be written with it.)
func syncDir(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
