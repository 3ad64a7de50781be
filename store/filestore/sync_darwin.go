package filestore

import (
	"os"

	"golang.org/x/sys/unix"
)

// asFile returns f with a Sync that does less.
func asFile(f *os.File) file { return osFile{f} }

// osFile is a file whose Sync only hands it to the disk's volatile cache, as fsync does on macOS. Sync of
// an os.File is F_FULLFSYNC, which makes the disk empty its cache (fsync(2), fcntl(2)). That takes
// long, so a change does it once or twice, in syncDir, and not for each file. It always does so before
// anything depends on what was synced.
type osFile struct{ *os.File }

func (f osFile) Sync() error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	ctlErr := conn.Control(func(fd uintptr) { err = unix.Fsync(int(fd)) })
	if ctlErr != nil {
		return ctlErr
	}
	return err
}
