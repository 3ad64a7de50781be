//go:build !js

package filestore

import (
	"errors"
	"slices"
)

// lacks reports whether err says that the system or the file system lacks the operation, rather than that
// the operation failed. Such errors are errors.ErrUnsupported, which stands for ENOSYS, ENOTSUP and
// EOPNOTSUPP, and those in others.
func lacks(err error, others []error) bool {
	return errors.Is(err, errors.ErrUnsupported) ||
		slices.ContainsFunc(others, func(other error) bool { return errors.Is(err, other) })
}
