//go:build !js

package filestore

import (
	"errors"
	"slices"
)

// lacks reports whether err says that the system or the file system has no such operation, and not that
// the operation failed: by errors.ErrUnsupported, which stands for ENOSYS, ENOTSUP and
// EOPNOTSUPP, or by one of others.
func lacks(err error, others []error) bool {
	return errors.Is(err, errors.ErrUnsupported) ||
		slices.ContainsFunc(others, func(other error) bool { return errors.Is(err, other) })
}
