package filestore

import "os"

// syncFile makes the content of f durable.
func syncFile(f *os.File) error { return f.Sync() }

// syncDir does nothing: Windows offers no way to sync a directory. The file
// system's journal keeps the order of names, and makes them durable soon after.
func syncDir(path string) error { return nil }
