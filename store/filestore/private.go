//go:build !js

package filestore

import (
	"errors"
	"os"
	"sync/atomic"
)

// ErrUnsafeDirectory is reported by [OpenPrivate] when another user can put files into the directory.
var ErrUnsafeDirectory = errors.New("directory is under another user's control")

// OpenPrivate opens the directory of that path if only this process's user and root can put files
// there: it belongs to either, and not every user may write to it. Else the error is
// [ErrUnsafeDirectory]. It is for programs that run with more rights than whoever made the
// directory, or that are told its path by others. What was checked is what is used, however
// the path may change meanwhile.
//
// That its group can write to it is the administrator's decision. Access control lists are
// not looked at, and on systems where owner and mode don't decide, such as Windows, the
// error is [errors.ErrUnsupported].
func OpenPrivate(path string) (*Directory, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	if err := checkPrivate(root); err != nil {
		root.Close()
		return nil, &os.PathError{Op: "open private", Path: path, Err: err}
	}
	return &Directory{osFolder{root, tryLock}, new(atomic.Bool)}, nil
}
