//go:build unix

package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"syscall"
)

// strangeOwner returns the name of a directory's owner, if this process is root's and the owner is another user.
func strangeOwner(st fs.FileInfo) string {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || sys.Uid == 0 {
		return ""
	}
	name := ""
	if u, err := user.LookupId(fmt.Sprint(sys.Uid)); err == nil {
		name = u.Username
	}
	return cmp.Or(name, fmt.Sprint("user ", sys.Uid))
}
