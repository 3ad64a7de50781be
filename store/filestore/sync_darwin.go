package filestore

import "os"

// syncDir makes the names in the directory durable, and with them all that was
// handed to the disk before: fsync only hands it to a disk's volatile cache, and
// Sync is F_FULLFSYNC here, which has the disk empty its cache (fsync(2), fcntl(2)).
// That takes long, so a change does it once or twice and not per file. It always
// follows before anything depends on what was synced.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
