package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The units of a result. Those that Go's own benchmarks have keep their names.
const (
	unitWall    = "sec/op"
	unitCPU     = "cpu-sec/op"   // in user and system mode, of all threads
	unitBytes   = "B/op"         // allocated
	unitAllocs  = "allocs/op"    // allocated values
	unitWritten = "written-B/op" // given to the operating system to write
	unitPeak    = "peak-B"       // the most memory in use during the calls, above what was in use before
	unitAbove   = "above-B"      // of Load: the most memory in use, above what the process and its result take
	unitStored  = "stored-B"     // sizes of the files
	unitDisk    = "disk-B"       // blocks that the files and their directory take
	unitCalls   = "syscalls/op"  // system calls that take a file or a descriptor
)

// markPath is looked up before and after what is measured, for who traces
// system calls.
const markPath = "/netmapcache-bench"

// A meter measures what this process does, and writes it in the format of Go's
// benchmarks.
type meter struct {
	impl    string
	peers   int
	out     io.Writer
	atLeast time.Duration // how long a loop runs; it makes at least one call

	// memory tells to measure that alone. For it, what the process doesn't use
	// is given back first, so that all it takes counts; and taking that costs time.
	memory bool
}

// A reading is what the process has spent since it began.
type reading struct {
	cpu     time.Duration
	written uint64
	mem     runtime.MemStats
}

func read() (r reading, err error) {
	// The processor's time goes first: the rest takes some.
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		return r, err
	}
	r.cpu = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	if r.written, err = procValue("/proc/self/io", "wchar:"); err != nil {
		return r, err
	}
	runtime.ReadMemStats(&r.mem)
	return r, nil
}

// A run is a measurement under way.
type run struct {
	m      *meter
	op     string
	memory uint64 // in use before
	before reading
	start  time.Time
}

// start begins to measure op.
func (m *meter) start(op string) (*run, error) {
	r := &run{m: m, op: op}
	if m.memory {
		debug.FreeOSMemory()
	} else {
		runtime.GC()
	}
	err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // forgets the peak
	if err != nil {
		return nil, err
	}
	if r.memory, err = procValue("/proc/self/status", "VmRSS:"); err != nil {
		return nil, err
	}
	if r.before, err = read(); err != nil {
		return nil, err
	}
	os.Lstat(markPath + "/begin/" + op)
	r.start = time.Now()
	return r, nil
}

// end reports what was spent since the start, as n calls of op.
func (r *run) end(n int) error { return r.endAs(r.m.impl, r.op, n) }

func (r *run) endAs(impl, op string, n int) error {
	wall := time.Since(r.start)
	os.Lstat(markPath + "/end/" + op)
	after, err := read()
	if err != nil {
		return err
	}
	if r.m.memory {
		peak, err := procValue("/proc/self/status", "VmHWM:")
		r.m.report(impl, op, n, float64(peak-min(peak, r.memory)), unitPeak)
		return err
	}
	per := func(total uint64) float64 { return float64(total) / float64(n) }
	r.m.report(impl, op, n,
		wall.Seconds()/float64(n), unitWall,
		(after.cpu-r.before.cpu).Seconds()/float64(n), unitCPU,
		per(after.written-r.before.written), unitWritten,
		per(after.mem.TotalAlloc-r.before.mem.TotalAlloc), unitBytes,
		per(after.mem.Mallocs-r.before.mem.Mallocs), unitAllocs)
	return nil
}

// report writes values, each followed by its unit.
func (m *meter) report(impl, op string, n int, values ...any) {
	fmt.Fprintf(m.out, "Benchmark%s %d", name{op, m.peers, impl}, n)
	for i := 0; i < len(values); i += 2 {
		fmt.Fprintf(m.out, " %.9g %s", values[i], values[i+1])
	}
	fmt.Fprintln(m.out)
}

// once measures one call.
func (m *meter) once(op string, call func() error) error {
	r, err := m.start(op)
	if err != nil {
		return err
	}
	if err := call(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return r.end(1)
}

// loop measures calls until they took m.atLeast, and passes them their number.
func (m *meter) loop(op string, call func(i int) error) error {
	r, err := m.start(op)
	if err != nil {
		return err
	}
	n := 0
	for ; n == 0 || time.Since(r.start) < m.atLeast; n++ {
		if err := call(n); err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
	}
	return r.end(n)
}

// procValue returns the number that follows field in a file of /proc, in bytes
// if it is in kilobytes there.
func procValue(path, field string) (uint64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("this needs Linux: %w", err)
	}
	for line := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(line, []byte(field))
		if !ok {
			continue
		}
		words := bytes.Fields(rest)
		n, err := strconv.ParseUint(string(words[0]), 10, 64)
		if len(words) > 1 && string(words[1]) == "kB" {
			n <<= 10
		}
		return n, err
	}
	return 0, fmt.Errorf("%s has no %s", path, field)
}
