//go:build !js && !windows && !darwin

package filestore

import "os"

// syncFile makes the content of f durable. (fdatasync would save nothing: a new
// file's size and blocks have to be written with it.)
func syncFile(f *os.File) error { return f.Sync() }

// syncDir makes the names in the directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
