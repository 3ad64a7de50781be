package filestore

import (
	"os"
	"syscall"
)

// syncFile hands the content of f to the disk, which may keep it in a volatile
// cache. A syncDir always follows before anything depends on it.
func syncFile(f *os.File) error {
	if err := syscall.Fsync(int(f.Fd())); err != nil {
		return &os.PathError{Op: "fsync", Path: f.Name(), Err: err}
	}
	return nil
}

// syncDir makes the names in the directory durable, and with them all that was
// handed to the disk before: Sync is F_FULLFSYNC here, which has the disk empty
// its cache (fsync(2), fcntl(2)). That takes long, so a change does it once or twice
// and not per file.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
