package filestore

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

const (
	// patience is for how long an operation is tried that another program keeps from succeeding.
	patience = 2 * time.Second

	// maxPause is the longest time between two attempts. Where many read the same value over and over
	// the moments in which none does are short.
	maxPause = 10 * time.Millisecond
)

// patiently runs do until it doesn't report one of the errors that come from a program that has a file
// open at the moment: a virus scanner, an indexer, a backup; and, where the file system
// has no POSIX semantics for replacing and removing (FAT, network drives, Windows before version
// 10), a reader of the same value. A lasting refusal has the first of the same numbers, and
// is reported late.
func patiently(do func() error) error {
	deadline := time.Now().Add(patience)
	pause := time.Millisecond
	for {
		err := do()
		if !errors.Is(err, windows.ERROR_ACCESS_DENIED) && !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return err
		}
		if time.Now().Add(pause).After(deadline) {
			return err
		}
		time.Sleep(pause)
		pause = min(pause+pause/2, maxPause)
	}
}
