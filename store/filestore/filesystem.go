//go:build !js

package filestore

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// fileSystem is what a directory needs of the operating system. Tests put
// another in its place, that fails or loses power.
type fileSystem interface {
	readFile(path string) ([]byte, error)
	readDir(path string) ([]fs.DirEntry, error) // in order of name
	stat(path string) (fs.FileInfo, error)
	lstat(path string) (fs.FileInfo, error)
	create(path string) (file, error) // fails if it exists
	link(path, newPath string) error
	rename(path, newPath string) error
	remove(path string) error
	syncDir(path string) error // makes names durable

	// lock waits until no one else has locked the file, which it creates if need be.
	lock(ctx context.Context, path string) (unlock func(), err error)
}

type file interface {
	io.WriteCloser
	Sync() error // makes content durable
}

type osFileSystem struct{}

func (osFileSystem) readFile(path string) ([]byte, error) {
	if err := checkOwner(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

func (osFileSystem) readDir(path string) ([]fs.DirEntry, error) {
	if err := checkOwner(path); err != nil {
		return nil, err
	}
	return os.ReadDir(path)
}

func (osFileSystem) stat(path string) (fs.FileInfo, error)  { return os.Stat(path) }
func (osFileSystem) lstat(path string) (fs.FileInfo, error) { return os.Lstat(path) }

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

func (osFileSystem) lock(ctx context.Context, path string) (unlock func(), err error) {
	if err := checkOwner(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return lockFile(ctx, path)
}

type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncFile(f.File) }
