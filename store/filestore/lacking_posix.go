//go:build unix || wasip1

package filestore

import (
	"os"
	"syscall"
)

var (
	// noDirectorySync is what systems answer, besides errors.ErrUnsupported, when names can't be made
	// durable: EINVAL Linux for file systems without the operation, such as SMB
	// until 4.17 (fsync(2); restic's pull request 3752); EBADF AIX, where the directory would
	// have to be open for writing; ENOTTY macOS for SMB; EPERM some FUSE file systems.
	noDirectorySync = []error{syscall.EINVAL, syscall.EBADF, syscall.ENOTTY, syscall.EPERM}

	// noLock is what systems answer likewise when files can't be locked: ENOLCK of NFS without
	// a lock service.
	noLock = []error{syscall.ENOLCK}
)

// syncDir makes the names in a directory durable. On macOS, where Sync is F_FULLFSYNC, it
// does so with all that was handed to the disk before. (For files, fdatasync would save
// nothing: a new one's size and blocks have to be written with it.)
func syncDir(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
