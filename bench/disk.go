package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A disk holds the files that are loaded, and can make the operating system
// forget what it has of them in memory.
//
// Who is root gets a file system of its own in a file, which is mounted anew:
// then names and inodes are forgotten too. Others get a directory, of
// whose files posix_fadvise drops the content alone.
type disk struct {
	dir   string
	image string // file that holds the file system; "" if there is none
}

// newDisk makes a disk in the directory work.
func newDisk(ctx context.Context, work string) (*disk, error) {
	d := &disk{dir: filepath.Join(work, "disk")}
	if err := os.Mkdir(d.dir, 0700); err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return d, nil
	}
	image := filepath.Join(work, "image")
	if err := os.WriteFile(image, nil, 0600); err != nil {
		return nil, err
	}
	if err := os.Truncate(image, 4<<30); err != nil { // it takes what is used
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "mkfs.ext4", "-q", "-N", "500000", image).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "no file system in a file: mkfs.ext4: %v %s\n", err, out)
		return d, nil
	}
	if out, err := exec.CommandContext(ctx, "mount", "-o", "loop", image, d.dir).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "no file system in a file: mount: %v %s\n", err, out)
		return d, nil
	}
	d.image = image
	return d, nil
}

// how tells how drop drops.
func (d *disk) how() string {
	if d.image != "" {
		return "files on a file system in a file, mounted anew, of which posix_fadvise dropped all pages"
	}
	return "posix_fadvise dropped the pages of all files; names and inodes stay in memory, for which one has to be root"
}

// drop makes the operating system forget the files.
func (d *disk) drop() error {
	if d.image == "" {
		if err := syncFileSystem(d.dir); err != nil {
			return err
		}
		return filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			return dropPages(path)
		})
	}
	if err := command("umount", d.dir); err != nil {
		return err
	}
	if err := dropPages(d.image); err != nil {
		return err
	}
	return command("mount", "-o", "loop", d.image, d.dir)
}

// close gives the file system back.
func (d *disk) close() error {
	if d.image == "" {
		return nil
	}
	return command("umount", d.dir)
}

// dropPages makes the operating system forget the content of a file.
func dropPages(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
}

// warm reads the files in dir, so that the operating system has them in memory.
func warm(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if _, err := os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return err
}

// command runs what must not be cut short.
func command(args ...string) error {
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w: %s", args, err, out)
	}
	return nil
}
