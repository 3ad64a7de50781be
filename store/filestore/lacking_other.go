//go:build !unix && !wasip1 && !js

package filestore

import (
	"errors"
	"os"
)

var noDirectorySync, noLock []error

// syncDir is not supported: Windows and Plan 9 offer no way to sync a directory. The journal of NTFS
// keeps the order of names, and makes them durable soon after.
func syncDir(*os.Root) error { return errors.ErrUnsupported }
