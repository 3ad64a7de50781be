//go:build !js

package filestore

import (
	"io"
	"os"
)

// fileSystem is what writing needs of the operating system. Tests put
// another in its place to have an operation fail.
type fileSystem interface {
	create(path string) (file, error) // fails if it exists
	link(path, newPath string) error
	rename(path, newPath string) error
	remove(path string) error
	syncDir(path string) error // makes names durable
}

type file interface {
	io.WriteCloser
	Sync() error // makes content durable
}

type osFileSystem struct{}

func (osFileSystem) create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFileSystem) link(path, newPath string) error   { return os.Link(path, newPath) }
func (osFileSystem) rename(path, newPath string) error { return os.Rename(path, newPath) }
func (osFileSystem) remove(path string) error          { return os.Remove(path) }
func (osFileSystem) syncDir(path string) error         { return syncDir(path) }

type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncFile(f.File) }
