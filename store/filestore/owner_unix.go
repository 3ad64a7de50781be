//go:build unix

package filestore

import (
	"io/fs"
	"os"
	"syscall"
)

// checkOwner reports an ErrUnsafeDirectory for a directory that belongs to another user, root
// aside, or that every user can write to. Of one that isn't there or can't be looked at it
// reports nothing: the operation that follows does.
func checkOwner(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if owner != 0 && int(owner) != os.Geteuid() || info.Mode().Perm()&0002 != 0 {
		return &fs.PathError{Op: "check owner", Path: path, Err: ErrUnsafeDirectory}
	}
	return nil
}
