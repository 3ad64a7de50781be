//go:build !unix && !js

package filestore

import "os"

func (osFileSystem) create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0600)
}

func (osFileSystem) readFile(path string) ([]byte, error) { return os.ReadFile(path) }
func (osFileSystem) link(path, newPath string) error      { return os.Link(path, newPath) }
func (osFileSystem) rename(path, newPath string) error    { return os.Rename(path, newPath) }
func (osFileSystem) remove(path string) error             { return os.Remove(path) }

// syncDir does nothing: Windows offers no way to sync a directory. The file
// system's journal keeps the order of names, and makes them durable soon after.
func syncDir(path string) error { return nil }
