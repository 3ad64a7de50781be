//go:build linux

package powercut

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/netmapcache/netmapcache/internal/torture"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(envMachine); dir != "" {
		runMachine(dir)
		return
	}
	os.Exit(m.Run())
}

// TestPowerCuts has a Cache make calls on real file systems, and cuts the power of their disk at
// many moments. The snapshot of the last call that had completed or of the one that was under way, or
// noted, is left, whole; the next Store succeeds and leaves nothing else; and the same is true of a cut during that.
//
// The images that a wrong snapshot was found on are kept with the flag -artifacts.
func TestPowerCuts(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("left out: this needs root")
	}
	device, file, err := openDevice()
	if err != nil {
		t.Skipf("left out: %v", err)
	}
	machine, stop, err := startMachine(t.TempDir(), file)
	if err != nil {
		t.Skipf("left out: %v", err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Errorf("the process that makes the calls: %v", err)
		}
	}()
	for _, fs := range FileSystems {
		t.Run(fs.Name, func(t *testing.T) {
			if _, err := exec.LookPath(fs.Make[0]); err != nil {
				t.Skipf("left out: %v", err)
			}
			empty, err := fs.Empty(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			r := run{T: t, device: device, machine: machine, fs: fs, rnd: rand.New(rand.NewPCG(rand.Uint64(), 0))}
			r.use(NewDisk(empty))
			if err := r.call("Mount", fs); err != nil {
				t.Skipf("left out: %v", err)
			}
			r.must("Unmount", None{})
			for _, script := range slices.Sorted(maps.Keys(scripts())) {
				t.Run(script, func(t *testing.T) {
					r := r
					r.T, r.script = t, script
					r.play(empty)
				})
			}
			t.Run("unsynced", func(t *testing.T) {
				r := r
				r.T = t
				r.loses(empty)
			})
		})
	}
}

// run is a script on a file system.
type run struct {
	*testing.T
	device  *device
	machine *rpc.Client
	fs      FileSystem
	script  string
	rnd     *rand.Rand

	states, again, wrong int // the number of disks that were looked into, during recovery too
}

// use makes disk what is on the device, which must not be mounted.
func (r *run) use(disk *Disk) { r.device.disk.Store(disk) }

// call calls the machine.
func (r *run) call(method string, args any) error {
	return r.machine.Call("Machine."+method, args, new(None))
}

// must calls the machine, which must not fail.
func (r *run) must(method string, args any) {
	r.Helper()
	if err := r.call(method, args); err != nil {
		r.Fatalf("%s: %v", method, err)
	}
}

// play makes the calls of the script, and then cuts the power at moments of theirs.
func (r *run) play(empty *Image) {
	disk := NewDisk(empty)
	r.use(disk)
	r.must("Mount", r.fs)
	r.must("Fill", r.script)
	r.must("Unmount", None{})

	disk = NewDisk(disk.now, 0)
	r.use(disk)
	r.must("Mount", r.fs)
	script := scripts()[r.script]
	restart := script.options == nil && r.rnd.IntN(2) == 0
	wants := []int{0}
	for i := range script.Steps {
		wants = append(wants, i+1)
		disk.Expect(wants...)
		r.must("Step", Call{r.script, i, restart})
		if !script.noted[i] {
			wants = []int{i + 1}
		}
		disk.Expect(wants...)
	}
	r.must("Unmount", None{})

	for cut := range disk.Cuts(torture.Times(3, 20)*len(script.Steps), r.rnd) {
		r.states++
		recovery, err := r.recover(cut)
		if err != nil {
			r.report("power cut", cut, err)
		} else if r.rnd.IntN(10) == 0 {
			for cut := range recovery.Cuts(torture.Times(4, 10), r.rnd) {
				r.again++
				if _, err := r.recover(cut); err != nil {
					r.report("second power cut", cut, err)
				}
			}
		}
	}
	r.Logf("restart=%v: %d power cuts and %d second ones, %d wrong", restart, r.states, r.again, r.wrong)
}

// report reports what is wrong after a cut, the first time.
func (r *run) report(what string, cut Cut, err error) {
	r.wrong++
	if r.wrong > 1 {
		return
	}
	r.Errorf("%s %s: one of snapshots %v wanted: %v", what, cut.What, cut.Wants, err)
	if err := cut.Image.save(filepath.Join(r.ArtifactDir(), "disk")); err != nil {
		r.Error(err)
	}
}

// recover checks that what a cut leaves is what it may, and that a Cache can go on from there. It
// returns the disk that this was done on.
func (r *run) recover(cut Cut) (*Disk, error) {
	disk := NewDisk(cut.Image, cut.Wants...)
	r.use(disk)
	if err := r.call("Mount", r.fs); err != nil {
		return nil, err
	}
	defer r.must("Unmount", None{})
	var left int
	if err := r.machine.Call("Machine.Load", Question{r.script, cut.Wants}, &left); err != nil {
		return nil, err
	}
	disk.Expect(left, other)
	if err := r.call("Recover", r.rnd.IntN(2) == 0); err != nil {
		return nil, fmt.Errorf("Store afterwards: %w", err)
	}
	disk.Expect(other)
	return disk, r.call("Check", None{})
}

// loses checks that the cuts do take what isn't synced: what upstream's FileStore wrote.
func (r *run) loses(empty *Image) {
	r.script = "migration by Store"
	disk := NewDisk(empty)
	r.use(disk)
	r.must("Mount", r.fs)
	r.must("Fill", r.script)
	disk.Expect(0)
	r.must("Unmount", None{})
	for cut := range disk.Cuts(0, r.rnd) {
		if _, err := r.recover(cut); err == nil {
			r.Errorf("power cut %s took nothing", cut.What)
		}
	}
}
