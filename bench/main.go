// Command bench measures this project's cache beside upstream's, tailscale.com's
// own, and beside a baseline that does without a cache. It needs Linux.
//
// Results go to a file in the format of Go's benchmarks, which benchstat reads
// too, and as tables to the standard output. With -docs it also writes them into
// docs/performance.md and draws its pictures.
//
// Each measurement is made by a new process, this program run again. The caches
// take turns, so that what else the machine does troubles all of them alike.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runCommand(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	peers  string
	ops    string
	count  int
	work   string
	output string
	report bool
	docs   string

	child   string // what this process is to measure; "" in the one that was started by hand
	impl    string
	filled  string
	atLeast time.Duration
	memory  bool
}

func runCommand(ctx context.Context) error {
	var o options
	flag.StringVar(&o.peers, "peers", "100,1000,10000,50000", "sizes of the netmaps")
	flag.StringVar(&o.ops, "ops", "", "operations, as ColdStore,LoadWarm; all if empty")
	flag.IntVar(&o.count, "count", 6, "repetitions; half as many for 50,000 peers and more")
	flag.StringVar(&o.work, "dir", "dist", "a directory on the disk to measure")
	flag.StringVar(&o.output, "o", "dist/bench.txt", "the file for the results")
	flag.BoolVar(&o.report, "report", false, "measure nothing, report what the file says")
	flag.StringVar(&o.docs, "docs", "", "the directory docs, to write the results there as well")
	flag.StringVar(&o.child, "child", "", "used between processes of this program, as are impl, filled, at-least and memory")
	flag.StringVar(&o.impl, "impl", "", "")
	flag.StringVar(&o.filled, "filled", "", "")
	flag.DurationVar(&o.atLeast, "at-least", 50*time.Millisecond, "")
	flag.BoolVar(&o.memory, "memory", false, "")
	flag.Parse()

	if o.child != "" {
		return measureHere(&o)
	}
	if !o.report {
		if err := measureAll(ctx, &o); err != nil {
			return err
		}
	}
	return reportFile(os.Stdout, o.output, o.docs)
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

// measureHere measures in this process.
func measureHere(o *options) error {
	peers, err := strconv.Atoi(o.peers)
	if err != nil {
		return err
	}
	m := &meter{impl: o.impl, peers: peers, out: os.Stdout, atLeast: o.atLeast, memory: o.memory}
	wanted := (&plan{ops: list(o.ops)}).wanted
	switch {
	case o.child == "session" && o.impl == implBaseline:
		return baselineSession(m, o.work, o.filled, wanted)
	case o.child == "session":
		return session(m, o.work, wanted)
	case o.impl == implBaseline:
		return baselineLoad(m, o.child, o.filled)
	}
	return load(m, o.child, o.filled, wanted)
}

// measureAll measures in other processes.
func measureAll(ctx context.Context, o *options) (err error) {
	p := plan{ops: list(o.ops), count: o.count, atLeast: o.atLeast}
	for _, s := range list(o.peers) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("-peers: %q is no number of peers", s)
		}
		p.peers = append(p.peers, n)
	}
	for _, op := range p.ops {
		if !slices.Contains(allOps(), op) {
			return fmt.Errorf("-ops: %q is none of %s", op, strings.Join(allOps(), ", "))
		}
	}
	if err := os.MkdirAll(o.work, 0700); err != nil {
		return err
	}
	if p.work, err = os.MkdirTemp(o.work, "bench-"); err != nil {
		return err
	}
	if p.work, err = filepath.Abs(p.work); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.work)) }()
	if p.disk, err = newDisk(ctx, p.work); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.disk.close()) }()

	f, err := os.Create(o.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	p.out = f
	if err := describe(f, p.work, p.disk); err != nil {
		return err
	}
	if err := p.measure(ctx); err != nil {
		return err
	}
	return p.trace(ctx)
}
