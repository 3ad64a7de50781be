//go:build linux

package powercut

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"golang.org/x/sys/unix"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/types/netmap"
)

// A Machine has the device mounted, and a Cache there. It is called by net/rpc.
//
// It is a process of its own, see [openDevice], whose mounts nobody else sees and which end with it.
type Machine struct {
	device  int // descriptor of the device's file
	dir     string
	mounts  int
	mounted string // where the device is mounted
	cache   *netmapcache.Cache
}

// envMachine has the test binary be a Machine. Its value is a directory for the mounts.
const envMachine = "POWERCUT_MACHINE"

// startMachine starts a Machine with the file of a device, which it closes here.
func startMachine(dir string, device *os.File) (client *rpc.Client, stop func() error, err error) {
	defer device.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envMachine+"="+dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	cmd.ExtraFiles = []*os.File{device} // which becomes descriptor 3
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start a process with mounts of its own: %w", err)
	}
	client = rpc.NewClient(pipe{out, in})
	return client, func() error { return errors.Join(client.Close(), cmd.Wait()) }, nil
}

// runMachine is what the process does.
func runMachine(dir string) {
	s := rpc.NewServer()
	if err := s.Register(&Machine{dir: dir, device: 3}); err != nil {
		panic(err) // a mistake in this package
	}
	s.ServeConn(pipe{os.Stdin, os.Stdout})
}

type pipe struct {
	io.ReadCloser
	out io.WriteCloser
}

func (p pipe) Write(b []byte) (int, error) { return p.out.Write(b) }

func (p pipe) Close() error { return errors.Join(p.out.Close(), p.ReadCloser.Close()) }

// None is the arguments and the result of calls that have none.
type None struct{}

// Mount mounts the device, each time in another directory: FileStore remembers of a directory whether
// its process has removed what others left there, and after a power cut it is another process.
func (m *Machine) Mount(fs FileSystem, _ *None) error {
	loop, err := attach(m.device)
	if err != nil {
		return fmt.Errorf("attach a loop device: %w", err)
	}
	defer loop.Close()
	m.mounts++
	dir := filepath.Join(m.dir, strconv.Itoa(m.mounts))
	if err := os.Mkdir(dir, 0700); err != nil {
		return err
	}
	if err := unix.Mount(loop.Name(), dir, fs.Type, 0, fs.Options); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	m.mounted, m.cache = dir, nil
	return nil
}

// attach returns a loop device that is attached to a file until nobody has it open or mounted.
func attach(file int) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for attempt := 0; ; attempt++ {
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, err
		}
		loop, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", n), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		config := unix.LoopConfig{Fd: uint32(file), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
		err = unix.IoctlLoopConfigure(int(loop.Fd()), &config)
		if err == nil {
			return loop, nil
		}
		loop.Close()
		if !errors.Is(err, unix.EBUSY) || attempt == 100 { // another program may have been faster
			return nil, err
		}
	}
}

// Unmount unmounts the device, which writes what isn't written yet.
func (m *Machine) Unmount(None, *None) error {
	if err := unix.Unmount(m.mounted, 0); err != nil {
		return fmt.Errorf("unmount: %w", err)
	}
	return os.Remove(m.mounted)
}

// store returns the directory of the cache.
func (m *Machine) store() netmapcache.FileStore {
	return netmapcache.FileStore(filepath.Join(m.mounted, "cache"))
}

// Fill makes the directory of the cache, and stores in it what the script begins with, as upstream
// does.
func (m *Machine) Fill(script string, _ *None) error {
	if err := os.Mkdir(string(m.store()), 0700); err != nil {
		return err
	}
	return scripts()[script].Fill(context.Background(), upstream.FileStore(m.store()))
}

// A Call is a step of a script, made by a new Cache or by that of the call before.
type Call struct {
	Script string
	Step   int
	New    bool
}

// Step makes a call.
func (m *Machine) Step(call Call, _ *None) error {
	script := scripts()[call.Script]
	if m.cache == nil || call.New {
		m.cache = netmapcache.NewCache(m.store(), script.options...)
	}
	step := script.Steps[call.Step]
	if err := step.Call(context.Background(), m.cache); err != nil {
		return fmt.Errorf("%s: %w", step.Name, err)
	}
	return nil
}

// other stands for the snapshot that is stored after a cut. The others are numbered from 0, what
// the script starts with.
const other = -1

// A Question is which of several snapshots of a script is left.
type Question struct {
	Script string
	Wants  []int
}

// Load loads what is left.
func (m *Machine) Load(q Question, left *int) error {
	var wants []*netmap.NetworkMap
	for _, n := range q.Wants {
		wants = append(wants, scripts()[q.Script].snapshot(n))
	}
	m.cache = netmapcache.NewCache(m.store())
	nm, err := cachetest.Loads(context.Background(), m.cache, wants...)
	if err != nil {
		return err
	}
	for i, want := range wants {
		if want == nm {
			*left = q.Wants[i]
		}
	}
	return nil
}

// Recover stores the other snapshot, by the Cache that loaded what was left or, if asNew is true, by one
// that hasn't loaded anything.
func (m *Machine) Recover(asNew bool, _ *None) error {
	if asNew {
		m.cache = netmapcache.NewCache(m.store())
	}
	return m.cache.Store(context.Background(), cachetest.Other())
}

// Check checks that the other snapshot is stored, and nothing else.
func (m *Machine) Check(None, *None) error {
	ctx := context.Background()
	if _, err := cachetest.Loads(ctx, netmapcache.NewCache(m.store()), cachetest.Other()); err != nil {
		return fmt.Errorf("after Store: %w", err)
	}
	if err := cachetest.NoOrphans(ctx, m.store()); err != nil {
		return err
	}
	files, err := os.ReadDir(string(m.store()))
	if err != nil {
		return err
	}
	keys := 0
	for _, err := range m.store().List(ctx, "") {
		if err != nil {
			return err
		}
		keys++
	}
	if len(files) != keys+1 {
		return fmt.Errorf("%d files for %d values and the lock", len(files), keys)
	}
	return nil
}
