package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// trace counts the system calls of each operation once.
func (p *plan) trace(ctx context.Context) error {
	if _, err := exec.LookPath("strace"); err != nil {
		progress("\nsystem calls aren't counted, which takes the package strace: %v\n", err)
		return nil
	}
	for _, peers := range p.peers {
		if peers > maxDetailed {
			continue
		}
		progress("\ncounting system calls, %d peers:", peers)
		for _, impl := range []string{implUpstream, implOurs, implBaseline} {
			progress(" %s;", impl)
			if err := p.traceOne(ctx, impl, peers); err != nil {
				return err
			}
		}
	}
	progress("\n")
	return nil
}

func (p *plan) traceOne(ctx context.Context, impl string, peers int) error {
	dir := filepath.Join(p.work, "traced")
	if err := os.Mkdir(dir, 0700); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	log := filepath.Join(p.work, "trace")
	tracer := []string{"strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=%file,%desc", "-e", "signal=none", "-o", log, "--"}
	m := meter{impl: impl, peers: peers, out: p.out}
	for _, args := range [][]string{
		{"-child", "session", "-dir", dir, "-ops", strings.Join(storeOps, ",")},
		{"-child", opLoadDropped, "-ops", opLoadDropped + "," + opFirstStore},
	} {
		args = append(args, "-impl", impl, "-peers", strconv.Itoa(peers), "-filled", p.filled(impl, peers), "-at-least", "0")
		if err := p.run(ctx, io.Discard, tracer, args); err != nil {
			return err
		}
		data, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		for op, n := range countCalls(data) {
			if op == opLoadDropped { // the same calls, wherever the files are
				op = opLoadWarm
			}
			if p.wanted(op) && op != opColdDurable {
				m.report(impl, op, 1, float64(n), unitCalls)
			}
		}
	}
	return nil
}

var (
	callLine = regexp.MustCompile(`^[0-9]+ +([a-z0-9_]+)\(`)
	markLine = regexp.MustCompile(`"` + markPath + `/(begin|end)/([^"/]+)"`)
)

// ofRuntime are calls by which Go's runtime manages memory and waits.
var ofRuntime = map[string]bool{"mmap": true, "epoll_create1": true, "epoll_ctl": true, "epoll_pwait": true, "eventfd2": true}

// countCalls returns the numbers of system calls between the marks of each
// operation in the output of strace -f.
func countCalls(log []byte) map[string]int {
	counts := map[string]int{}
	n := 0
	lines := bufio.NewScanner(bytes.NewReader(log))
	for lines.Scan() {
		call := callLine.FindSubmatch(lines.Bytes())
		if call == nil || ofRuntime[string(call[1])] {
			continue
		}
		mark := markLine.FindSubmatch(lines.Bytes())
		switch {
		case mark == nil:
			n++
		case string(mark[1]) == "begin":
			n = 0
		default:
			counts[string(mark[2])] = n
		}
	}
	return counts
}
