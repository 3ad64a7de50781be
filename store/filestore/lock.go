//go:build !js

package filestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

const (
	// lockName is the name of the file that writers lock; its second part is the hex of "lock". If no value
	// is left, the writer that has the lock removes it.
	lockName = ownPrefix + "6c6f636b"

	// lockRetry is the time between two attempts to get the lock from another process. A context couldn't
	// end a wait in the kernel.
	lockRetry = time.Millisecond

	// maxLost is how often in a row the lock file may turn out to be removed after it was locked.
	maxLost = 10_000
)

// lock waits for the turn of this call among those of this process, and then for the lock file.
func (f osFolder) lock(ctx context.Context) (unlock func(), err error) {
	dir, err := f.lstat(".")
	if err != nil {
		return nil, err
	}
	leave, err := takeTurn(ctx, dir)
	if err != nil {
		return nil, err
	}
	file, err := f.lockFile(ctx)
	if err != nil {
		leave()
		return nil, err
	}
	return func() {
		unlockFile(file)
		file.Close()
		leave()
	}, nil
}

// lockFile returns the lock file, locked if the system can. It closes the file before each new attempt. So
// it notices that the file was removed, and on Windows a removed file really goes.
func (f osFolder) lockFile(ctx context.Context) (*os.File, error) {
	lost := 0
	for {
		file, err := f.openLockFile()
		if err != nil {
			return nil, err
		}
		locked, err := f.tryLock(file)
		switch {
		case err != nil && !lacks(err, noLock):
			file.Close()
			return nil, err
		case err != nil, locked && f.hasLockName(file):
			return file, nil
		}
		if locked { // but the writer that had the lock before has removed the file
			unlockFile(file)
			if lost++; lost == maxLost {
				err = &fs.PathError{Op: "lock", Path: lockName, Err: errors.New("the file is always another one")}
			}
		} else {
			err = pause(ctx)
		}
		file.Close()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
}

// openLockFile opens the lock file, or makes it if there is none. It doesn't follow links,
// nor wait for a pipe.
func (f osFolder) openLockFile() (file *os.File, err error) {
	err = patiently(func() error {
		for {
			info, err := f.root.Lstat(lockName)
			flags := os.O_RDWR | nonblock
			switch {
			case errors.Is(err, fs.ErrNotExist):
				flags |= os.O_CREATE | os.O_EXCL
			case err != nil:
				return err
			case !info.Mode().IsRegular():
				return &fs.PathError{Op: "lock", Path: lockName, Err: errNotRegular}
			}
			file, err = f.root.OpenFile(lockName, flags, 0600)
			if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			// Another writer has made or removed it.
		}
	})
	return file, err
}

// hasLockName reports whether file still has the lock's name.
func (f osFolder) hasLockName(file *os.File) bool {
	info, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := f.root.Lstat(lockName)
	return err == nil && named.Mode().IsRegular() && os.SameFile(info, named)
}

// pause waits until it is time to try again.
func pause(ctx context.Context) error {
	timer := time.NewTimer(lockRetry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
