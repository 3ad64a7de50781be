//go:build unix

package filestore

import (
	"os"
	"syscall"
)

// checkPrivate reports ErrUnsafeDirectory for a directory that belongs to another user than
// this process's or root, or that every user can write to.
func checkPrivate(root *os.Root) error {
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if owner != 0 && int(owner) != os.Geteuid() || info.Mode().Perm()&0002 != 0 {
		return ErrUnsafeDirectory
	}
	return nil
}
