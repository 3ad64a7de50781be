//go:build !unix && !js

package filestore

import (
	"errors"
	"os"
)

func checkPrivate(*os.Root) error { return errors.ErrUnsupported }
