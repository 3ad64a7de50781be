package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// describe writes what the results depend on, as configuration lines of the
// format of Go's benchmarks.
func describe(w io.Writer, work string, d *disk) error {
	memory, err := procValue("/proc/meminfo", "MemTotal:")
	if err != nil {
		return err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	fsType, err := fileSystemOf(work)
	if err != nil {
		return err
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	lines := [][2]string{
		{"goos", runtime.GOOS},
		{"goarch", runtime.GOARCH},
		{"cpu", processor()},
		{"cores", strconv.Itoa(runtime.NumCPU())},
		{"memory", fmt.Sprintf("%.1f GiB", float64(memory)/(1<<30))},
		{"kernel", "Linux " + unix.ByteSliceToString(name.Release[:])},
		{"file-system", fsType},
		{"go", runtime.Version()},
		{"tailscale", tailscaleVersion()},
		{"dropped", d.how()},
		{"load-before", strings.Fields(string(load))[0]},
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(w, "%s: %s\n", l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}

func processor() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// fileSystemOf returns the type of the file system that holds path.
func fileSystemOf(path string) (string, error) {
	// The fields before " - " are numbers, root, mount point and options.
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	var longest, fsType string
	for line := range bytes.Lines(data) {
		before, after, _ := strings.Cut(string(line), " - ")
		point := strings.Fields(before)[4]
		if rel, err := filepath.Rel(point, path); err == nil && filepath.IsLocal(rel) && len(point) >= len(longest) {
			longest, fsType = point, strings.Fields(after)[0]
		}
	}
	return fsType, nil
}

func tailscaleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "tailscale.com" {
				return m.Version
			}
		}
	}
	return "unknown"
}
