//go:build !js

package filestore

import (
	"context"
	"io"
	"io/fs"
	"os"
)

// fileSystem is what a directory needs of the operating system. Tests put
// another in its place, that fails or loses power.
type fileSystem interface {
	// checkOwner reports an ErrUnsafeDirectory.
	checkOwner(path string) error

	prefetch(path string) // tells that readFile will follow soon
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

func (osFileSystem) checkOwner(path string) error { return checkOwner(path) }

func (osFileSystem) readDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }
func (osFileSystem) stat(path string) (fs.FileInfo, error)      { return os.Stat(path) }
func (osFileSystem) lstat(path string) (fs.FileInfo, error)     { return os.Lstat(path) }
func (osFileSystem) syncDir(path string) error                  { return syncDir(path) }

func (osFileSystem) lock(ctx context.Context, path string) (unlock func(), err error) {
	return lockFile(ctx, path)
}
