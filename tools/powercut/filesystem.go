//go:build linux

package powercut

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A FileSystem is one to be tried.
type FileSystem struct {
	Name    string
	Type    string
	Options string   // of mounting
	Make    []string // the command that makes it in a file
}

// FileSystems are those that are tried. The second is ext4 without what it does for
// programs that rename files that they haven't synced.
var FileSystems = []FileSystem{
	{"ext4", "ext4", "", []string{"mkfs.ext4", "-q", "-F"}},
	{"ext4, noauto_da_alloc", "ext4", "data=writeback,noauto_da_alloc", []string{"mkfs.ext4", "-q", "-F"}},
	{"xfs", "xfs", "", []string{"mkfs.xfs", "-q"}},
	{"btrfs", "btrfs", "", []string{"mkfs.btrfs", "-q"}},
}

// Empty returns an image of the file system with nothing in it. It uses a file in dir.
func (fs FileSystem) Empty(dir string) (*Image, error) {
	file, err := os.Create(filepath.Join(dir, "empty"))
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := file.Truncate(diskSize); err != nil {
		return nil, err
	}
	if out, err := exec.Command(fs.Make[0], append(fs.Make[1:], file.Name())...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", fs.Make, err, out)
	}
	image := over(nil)
	buf := make([]byte, 1<<20)
	for offset := int64(0); offset < diskSize; offset += int64(len(buf)) {
		if _, err := file.ReadAt(buf, offset); err != nil {
			return nil, err
		}
		for _, p := range pieces(buf, offset) {
			if !bytes.Equal(p.data, zeros) {
				image.write(p)
			}
		}
	}
	return image, nil
}
