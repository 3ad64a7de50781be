//go:build !js

package filestore

import (
	"errors"
	"os"
	"sync/atomic"
)

// ErrUnsafeDirectory is reported by [OpenPrivate] if another user can put files into the directory.
var ErrUnsafeDirectory = errors.New("directory is under another user's control")

// OpenPrivate opens the directory of that path if it belongs to this process's user or to root, and
// not every user may write to it. Otherwise the error is
// [ErrUnsafeDirectory]. OpenPrivate is for programs that run with more rights than the maker of the
// directory, or that others tell its path. The Directory is the one that was checked, however
// the path changes meanwhile.
//
// OpenPrivate doesn't check whether the directory's group can write to it, which is the administrator's decision. It doesn't
// read access control lists. On systems where owner and mode don't decide, such as Windows, the
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
