//go:build unix

package filestore

import (
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/netmapcache/netmapcache/internal/prefault"
)

// Files are used by their descriptors, without the runtime's poller, which regular
// files have no use for: opening one as an os.File takes four calls of
// fcntl and one of epoll_ctl.

// retry makes a system call again while signals interrupt it, as they may on
// some file systems.
func retry(op, path string, call func() error) error {
	for {
		switch err := call(); err {
		case nil:
			return nil
		case syscall.EINTR:
		default:
			return &fs.PathError{Op: op, Path: path, Err: err}
		}
	}
}

func open(path string, flags int) (osFile, error) {
	f := osFile{path: path}
	err := retry("open", path, func() (err error) {
		f.fd, err = syscall.Open(path, flags|syscall.O_CLOEXEC, 0600)
		return err
	})
	return f, err
}

// osFile is an open file.
type osFile struct {
	fd   int
	path string
}

func (f osFile) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		err = retry("write", f.path, func() error {
			m, err := syscall.Write(f.fd, p[n:])
			n += max(m, 0)
			return err
		})
	}
	return n, err
}

// readAll returns what the file holds, up to the size that it has now.
func (f osFile) readAll() ([]byte, error) {
	var info syscall.Stat_t
	err := retry("stat", f.path, func() error { return syscall.Fstat(f.fd, &info) })
	switch mode := info.Mode & syscall.S_IFMT; {
	case err != nil:
		return nil, err
	case mode == syscall.S_IFDIR:
		return nil, &fs.PathError{Op: "read", Path: f.path, Err: syscall.EISDIR}
	case mode != syscall.S_IFREG:
		return nil, &fs.PathError{Op: "read", Path: f.path, Err: fs.ErrInvalid}
	}
	if info.Size > bufferBytes {
		data := make([]byte, info.Size)
		n, err := f.readInto(data)
		return data[:n], err
	}
	buf := buffers.Get().(*[bufferBytes]byte)
	defer buffers.Put(buf)
	n, err := f.readInto(buf[:info.Size])
	if err != nil {
		return nil, err
	}
	data := make([]byte, n)
	prefault.Slice(data)
	copy(data, buf[:])
	return data, nil
}

// buffers are what files are read into, unless they are large, to be copied from there. To have
// the kernel copy to memory that is new to the process takes longer than both.
var buffers = sync.Pool{New: func() any { return new([bufferBytes]byte) }}

const bufferBytes = 128 << 10

// readInto reads until data is full or the file ends, and returns the number of bytes read.
func (f osFile) readInto(data []byte) (n int, err error) {
	for more := 1; n < len(data) && more > 0 && err == nil; n += more {
		err = retry("read", f.path, func() (err error) {
			more, err = syscall.Read(f.fd, data[n:])
			more = max(more, 0)
			return err
		})
	}
	return n, err
}

func (f osFile) Sync() error {
	return retry("sync", f.path, func() error { return syscall.Fsync(f.fd) })
}

// Close isn't retried: the descriptor is gone whatever it reports.
func (f osFile) Close() error {
	if err := syscall.Close(f.fd); err != nil && err != syscall.EINTR {
		return &fs.PathError{Op: "close", Path: f.path, Err: err}
	}
	return nil
}

func (osFileSystem) create(path string) (file, error) {
	f, err := open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osFileSystem) readFile(path string) ([]byte, error) {
	f, err := open(path, os.O_RDONLY|syscall.O_NONBLOCK) // lest a pipe make it wait
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.readAll()
}

func (osFileSystem) link(path, newPath string) error {
	return retry("link", path, func() error { return syscall.Link(path, newPath) })
}

// rename does without the look at newPath that os.Rename takes first.
func (osFileSystem) rename(path, newPath string) error {
	return retry("rename", newPath, func() error { return syscall.Rename(path, newPath) })
}

func (osFileSystem) remove(path string) error {
	return retry("remove", path, func() error { return syscall.Unlink(path) })
}
