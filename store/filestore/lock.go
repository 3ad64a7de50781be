//go:build !js

package filestore

import (
	"context"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	// lockName is the name of the file that writers lock: hex of "lock" follows.
	// It is not removed after use: a waiting writer could then lock a file
	// that has no name any more.
	lockName = ownPrefix + "6c6f636b"

	// lockRetry is the time between two attempts to get the lock. Waiting in the
	// kernel instead can't be ended with a context.
	lockRetry = time.Millisecond
)

// lock waits for the directory's lock and returns a function that releases it.
//
// Storing or removing a single key takes it too: the guard of another writer's
// change would otherwise not hold when the change is applied, and temporary
// files that are found under the lock could be in use.
func (d directory) lock(ctx context.Context) (unlock func(), err error) {
	if err := d.fs.checkOwner(d.path); err != nil {
		return nil, err
	}
	return d.fs.lock(ctx, filepath.Join(d.path, lockName))
}

// lockFile locks the file. Every call has an open file of its own, so that
// goroutines and processes exclude each other alike.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	l := flock.New(path)
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return nil, err
	}
	return func() { l.Unlock() }, nil
}
