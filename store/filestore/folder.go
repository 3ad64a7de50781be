//go:build !js

package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/netmapcache/netmapcache/store"
)

// A folder is an open directory, with the operations that a store needs. Tests use
// folders that fail, lack something or lose power.
type folder interface {
	open(name string) (fs.File, error) // opens a regular file for reading
	prefetch(fs.File)                  // announces that the file will be read soon
	openDir() (fs.ReadDirFile, error)
	lstat(name string) (fs.FileInfo, error)
	create(name string) (file, error) // fails if it exists
	link(name, newName string) error
	rename(name, newName string) error
	remove(name string) error
	syncDir() error // makes names durable
	close() error

	// lock takes the lock of the directory. It waits until it is free.
	lock(ctx context.Context) (unlock func(), err error)
}

type file interface {
	io.WriteCloser
	Sync() error // makes content durable
}

// osFolder is a directory of the operating system. All access goes through an os.Root, so the path
// doesn't matter once the directory is open. On Windows an os.Root also opens, replaces
// and removes files in such a way that others may have them open meanwhile.
type osFolder struct {
	root    *os.Root
	tryLock func(*os.File) (bool, error) // replaced only in tests
}

// open first checks what the file is, since opening a device can have effects.
func (f osFolder) open(name string) (fs.File, error) {
	info, err := f.lstat(name)
	if err != nil {
		return nil, err
	}
	if err := checkRegular(name, info); err != nil {
		return nil, err
	}
	return f.openRegular(name)
}

// openRegular opens a file that was a regular file a moment ago.
func (f osFolder) openRegular(name string) (fs.File, error) {
	var file *os.File
	err := patiently(func() (err error) {
		file, err = f.root.OpenFile(name, os.O_RDONLY|nonblock, 0) // so that a pipe in its place does not block
		return err
	})
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		err = checkRegular(name, info)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// checkRegular reports an error if the file isn't regular. The error is store.ErrDamaged if
// a value can be put in its place.
func checkRegular(name string, info fs.FileInfo) error {
	switch {
	case info.Mode().IsRegular():
		return nil
	case info.IsDir():
		return &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	}
	return &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("%w: %w", errNotRegular, store.ErrDamaged)}
}

var errNotRegular = errors.New("not a regular file")

func (f osFolder) openDir() (dir fs.ReadDirFile, err error) {
	err = patiently(func() error { dir, err = f.root.Open("."); return err })
	return dir, err
}

func (f osFolder) lstat(name string) (info fs.FileInfo, err error) {
	err = patiently(func() error { info, err = f.root.Lstat(name); return err })
	return info, err
}

func (f osFolder) create(name string) (file, error) {
	var made *os.File
	err := patiently(func() (err error) {
		made, err = f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0600)
		return err
	})
	if err != nil {
		return nil, err
	}
	return asFile(made), nil
}

func (f osFolder) link(name, newName string) error {
	return patiently(func() error { return f.root.Link(name, newName) })
}

func (f osFolder) rename(name, newName string) error {
	return patiently(func() error { return f.root.Rename(name, newName) })
}

func (f osFolder) remove(name string) error {
	return patiently(func() error { return f.root.Remove(name) })
}

func (f osFolder) syncDir() error { return syncDir(f.root) }

func (f osFolder) close() error { return f.root.Close() }
