package filestore

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

const (
	// patience is how long an operation is repeated that another program prevents.
	patience = 2 * time.Second

	// maxPause is the longest time between two attempts. If many readers read the same value over and over,
	// the moments between them are short.
	maxPause = 10 * time.Millisecond
)

// patiently repeats do while it reports one of the errors that come from a program that has the file
// open at the moment: a virus scanner, an indexer, a backup. On a file system
// without POSIX semantics for replacing and removing (FAT, network drives, Windows before version
// 10) that can be a reader of the same value. A lasting refusal has the same number as the first of these errors, and
// is therefore reported late.
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
