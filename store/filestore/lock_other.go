//go:build !unix && !windows && !js

package filestore

import (
	"errors"
	"os"
)

// tryLock is not supported: neither WASI nor Plan 9 has such locks.
func tryLock(*os.File) (locked bool, err error) { return false, errors.ErrUnsupported }

func unlockFile(*os.File) {}
