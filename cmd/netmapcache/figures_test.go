//go:build unix

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/types/netmap"
)

var (
	figures    = flag.Bool("figures", false, "measure what TestFigures measures")
	figuresDir = flag.String("figures.dir", "", "where a process that TestFigures starts stores what is measured")
)

// TestFigures prints the table of docs/command.md: processor time and peak memory of each command, as a process of its own,
// over directories of realistic peers.
func TestFigures(t *testing.T) {
	if *figuresDir != "" {
		storeFigures(t, *figuresDir)
		return
	}
	if !*figures {
		t.Skip("measures only with -figures")
	}
	program := filepath.Join(t.TempDir(), "netmapcache")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	commands := [][]string{
		{"info", "A"}, {"show", "A"}, {"show", "--json", "A"}, {"peers", "A"}, {"peers", "-o", "wide", "A"}, {"peer", "NAME", "A"}, {"verify", "A"}, {"stats", "A"},
		{"dump", "A", "self"}, {"dump", "A"}, {"diff", "A", "B"}, {"export", "A", "FILE"}, {"export", "--redact", "A", "FILE2"}, {"verify", "FILE"},
	}
	cells := make([]string, len(commands))
	for _, peers := range []int{10_000, 100_000} {
		dir := filepath.Join(t.TempDir(), strconv.Itoa(peers))
		// Use another process, because the memory of this one would count as the commands' own.
		if out, err := exec.Command(os.Args[0], "-test.run", "^TestFigures$", "-figures.dir", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		name, err := os.ReadFile(filepath.Join(dir, "NAME"))
		check(t, err)
		for i, args := range commands {
			args = strings.Split(strings.ReplaceAll(strings.Join(args, "\n"), "NAME", string(name)), "\n")
			var best time.Duration
			var memory int64
			for range 3 {
				cmd := exec.Command(program, args...)
				cmd.Dir = dir
				if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 1 {
					t.Fatalf("%v: %v", args, err)
				}
				if used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); best == 0 || used < best {
					best, memory = used, int64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
				}
			}
			cells[i] += fmt.Sprintf(" %.2f | %d |", best.Seconds(), memory>>10)
			t.Logf("%d peers: %v: %.2f s, %d MB", peers, args, best.Seconds(), memory>>10)
		}
	}
	t.Log("| | 10,000 peers: CPU s | MB | 100,000 peers: CPU s | MB |")
	for i, args := range commands {
		t.Logf("| `%s` |%s", strings.Join(args, " "), cells[i])
	}
}

// storeFigures stores two netmaps, of which one peer differs, and the name of one of their peers, in dir, whose name says how many peers.
func storeFigures(t *testing.T, dir string) {
	peers, err := strconv.Atoi(filepath.Base(dir))
	check(t, err)
	nm := netmaptest.Realistic(peers, 1)
	for name, nm := range map[string]*netmap.NetworkMap{"A": nm, "B": netmaptest.WithPeerChanged(nm, peers/2, 1)} {
		path := filepath.Join(dir, name)
		check(t, os.MkdirAll(path, 0o700))
		check(t, netmapcache.NewCache(netmapcache.FileStore(path)).Store(t.Context(), nm))
	}
	check(t, os.WriteFile(filepath.Join(dir, "NAME"), []byte(name(nm.Peers[peers/2])), 0o600))
}
