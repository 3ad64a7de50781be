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
// For root a disk is a new file system in a file. Mounting it again makes the system
// forget names and inodes too. For others it is a directory, of whose files
// posix_fadvise drops the content alone.
type disk struct {
	dir   string
	image string // file that holds the file system; "" if there is none
}

// newDisk makes a disk in the directory work.
func newDisk(ctx context.Context, work string) (*disk, error) {
	d, err := newDirectory(work)
	if err != nil || os.Geteuid() != 0 {
		return d, err
	}
	image := d.dir + ".image"
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
	if out, err := exec.CommandContext(ctx, "mount", "-o", mountOptions, image, d.dir).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "no file system in a file: mount: %v %s\n", err, out)
		return d, nil
	}
	d.image = image
	return d, os.Remove(filepath.Join(d.dir, "lost+found")) // no file of a cache
}

// mountOptions keep the kernel from clearing inodes in the background while something is measured.
const mountOptions = "loop,noinit_itable"

// newDirectory makes a disk that is a directory.
func newDirectory(work string) (*disk, error) {
	dir, err := os.MkdirTemp(work, "disk-")
	return &disk{dir: dir}, err
}

// another makes an empty disk of the kind of d. A sample that creates files needs one: ext4 passes
// over the inodes of recently deleted files one by one for each new file.
func (d *disk) another(ctx context.Context, work string) (*disk, error) {
	if d.image == "" {
		return newDirectory(work)
	}
	return newDisk(ctx, work)
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
	return command("mount", "-o", mountOptions, d.image, d.dir)
}

// close gives the file system back. A directory stays until the end, for the reason that another tells.
func (d *disk) close() error {
	if d.image == "" {
		return syncFileSystem(d.dir)
	}
	return errors.Join(command("umount", d.dir), os.Remove(d.image))
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
