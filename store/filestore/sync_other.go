//go:build !darwin && !js

package filestore

import "os"

func asFile(f *os.File) file { return f }
