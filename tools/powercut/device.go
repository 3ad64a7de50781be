//go:build linux

package powercut

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// diskSize is the number of bytes of a disk. It is what XFS needs at least, and most of it is
// never written.
const diskSize = 320 << 20

// A device is a file, in a FUSE file system of its own, whose content is that of a Disk.
type device struct {
	fs.Inode
	disk atomic.Pointer[Disk]
}

// openDevice returns a device and its file. The file system appears in no directory,
// and ends with this process.
//
// The file is for another process to use, and to be closed here: if this one were killed while it
// waits for what is on the device, or has to close the file, it would wait for itself for ever.
func openDevice() (*device, *os.File, error) {
	conn, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open /dev/fuse: %w", err)
	}
	mounted, err := mountFUSE(conn)
	if err != nil {
		unix.Close(conn)
		return nil, nil, fmt.Errorf("mount a FUSE file system: %w", err)
	}
	defer unix.Close(mounted)
	d := new(device)
	if _, err := fs.Mount(fmt.Sprintf("/dev/fd/%d", conn), &root{device: d}, nil); err != nil {
		return nil, nil, fmt.Errorf("serve a FUSE file system: %w", err)
	}
	// Not by os.Open, which would have the runtime poll a file that this process serves.
	file, err := unix.Openat(mounted, deviceName, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open the device's file: %w", err)
	}
	return d, os.NewFile(uintptr(file), deviceName), nil
}

// mountFUSE returns a descriptor of a file system that conn is to serve.
func mountFUSE(conn int) (mounted int, err error) {
	config, err := unix.Fsopen("fuse", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return 0, err
	}
	defer unix.Close(config)
	for _, o := range [][2]string{{"fd", strconv.Itoa(conn)}, {"rootmode", "40000"}, {"user_id", "0"}, {"group_id", "0"}} {
		if err := unix.FsconfigSetString(config, o[0], o[1]); err != nil {
			return 0, err
		}
	}
	if err := unix.FsconfigCreate(config); err != nil {
		return 0, err
	}
	return unix.Fsmount(config, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

const deviceName = "disk"

// root is the directory that holds the device.
type root struct {
	fs.Inode
	device *device
}

func (r *root) OnAdd(ctx context.Context) {
	r.AddChild(deviceName, r.NewPersistentInode(ctx, r.device, fs.StableAttr{Mode: fuse.S_IFREG}), false)
}

func (d *device) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size = fuse.S_IFREG|0600, diskSize
	return 0
}

// Open has the system not keep what it reads and writes: the content changes with the disk.
func (d *device) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

func (d *device) Read(_ context.Context, _ fs.FileHandle, dest []byte, offset int64) (fuse.ReadResult, syscall.Errno) {
	d.disk.Load().read(dest, offset)
	return fuse.ReadResultData(dest), 0
}

func (d *device) Write(_ context.Context, _ fs.FileHandle, data []byte, offset int64) (uint32, syscall.Errno) {
	d.disk.Load().write(data, offset)
	return uint32(len(data)), 0
}

func (d *device) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	d.disk.Load().flush()
	return 0
}
