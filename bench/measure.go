package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
)

// manyPeers is from where on a size is measured half as often.
const manyPeers = 50_000

// Memory and system calls vary little, and their measuring is slow: memory is
// measured in one repetition of three, system calls once, and both of the smaller
// sizes only.
const (
	memoryEvery = 3
	maxDetailed = 10_000
)

// A plan says what to measure.
type plan struct {
	peers   []int
	ops     []string // none means all
	count   int      // repetitions
	atLeast time.Duration
	work    string // an empty directory on the disk to measure
	out     io.Writer
	disk    *disk
}

func (p *plan) wanted(op string) bool { return len(p.ops) == 0 || slices.Contains(p.ops, op) }

// measure runs the plan. In each repetition all that is compared takes its turn,
// beginning with another each time.
func (p *plan) measure(ctx context.Context) error {
	impls := []string{implUpstream, implOurs, implMemory, implBaseline}
	for _, peers := range p.peers {
		if err := p.fill(peers); err != nil {
			return err
		}
	}
	for rep := range p.count {
		for _, peers := range p.peers {
			if peers >= manyPeers && rep%2 == 1 {
				continue
			}
			began := time.Now()
			progress("\nrepetition %d of %d, %d peers:", rep+1, p.count, peers)
			turns := slices.Concat(impls[rep%len(impls):], impls[:rep%len(impls)])
			for _, impl := range turns {
				if err := p.session(ctx, impl, peers); err != nil {
					return err
				}
			}
			for _, op := range []string{opLoadWarm, opLoadDropped} {
				for _, impl := range turns {
					if err := p.load(ctx, impl, peers, op); err != nil {
						return err
					}
				}
			}
			if rep%memoryEvery == 0 && peers <= maxDetailed {
				if err := p.memory(ctx, peers); err != nil {
					return err
				}
			}
			progress(" (%.0f s)", time.Since(began).Seconds())
		}
	}
	progress("\n")
	return nil
}

// filled returns the directory that holds what impl stores of a netmap.
func (p *plan) filled(impl string, peers int) string {
	if impl == implMemory {
		impl = implOurs
	}
	return filepath.Join(p.disk.dir, impl+"-"+strconv.Itoa(peers))
}

// fill makes what is loaded later.
func (p *plan) fill(peers int) error {
	progress("\npreparing %d peers", peers)
	nm := netmaptest.Realistic(peers, 1)
	for _, impl := range []string{implUpstream, implOurs} {
		dir := p.filled(impl, peers)
		if err := os.Mkdir(dir, 0700); err != nil {
			return err
		}
		c, err := openCache(impl, dir)
		if err != nil {
			return err
		}
		if err := c.Store(context.Background(), nm); err != nil {
			return err
		}
	}
	all := p.filled(implBaseline, peers)
	if err := os.Mkdir(all, 0700); err != nil {
		return err
	}
	return joinFiles(p.filled(implOurs, peers), all)
}

// session runs a process that stores.
func (p *plan) session(ctx context.Context, impl string, peers int) (err error) {
	wanted := p.wanted(opLoadAgain) || slices.ContainsFunc(storeOps, p.wanted)
	if impl == implBaseline {
		wanted = wanted || slices.ContainsFunc(baselineOps, p.wanted)
	}
	if !wanted {
		return nil
	}
	progress(" %s stores;", impl)
	d, err := p.disk.another(ctx, p.work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return p.child(ctx, "-child", "session", "-impl", impl, "-peers", strconv.Itoa(peers),
		"-dir", d.dir, "-filled", p.filled(impl, peers))
}

// memory runs the processes that store and load for the memory that they take.
func (p *plan) memory(ctx context.Context, peers int) error {
	progress(" memory;")
	for _, impl := range []string{implUpstream, implOurs} {
		d, err := p.disk.another(ctx, p.work)
		if err != nil {
			return err
		}
		for _, child := range []string{"session", opLoadWarm, opLoadDropped} {
			err := p.run(ctx, p.out, nil, []string{"-child", child, "-impl", impl, "-peers", strconv.Itoa(peers),
				"-dir", d.dir, "-filled", p.filled(impl, peers), "-memory"})
			if err != nil {
				return errors.Join(err, d.close())
			}
		}
		if err := d.close(); err != nil {
			return err
		}
	}
	return nil
}

// load runs a process that loads.
func (p *plan) load(ctx context.Context, impl string, peers int, op string) error {
	measured := []string{op}
	if op == opLoadDropped {
		switch impl {
		case implMemory: // there is nothing to drop
			measured = []string{opFirstStore}
		case implUpstream, implOurs:
			measured = append(measured, opFirstStore)
		}
	}
	if !slices.ContainsFunc(measured, p.wanted) {
		return nil
	}
	var err error
	if op == opLoadDropped {
		progress(" %s loads from disk;", impl)
		err = p.disk.drop()
	} else {
		progress(" %s loads;", impl)
		err = warm(p.filled(impl, peers))
	}
	if err != nil {
		return err
	}
	return p.child(ctx, "-child", op, "-impl", impl, "-peers", strconv.Itoa(peers),
		"-filled", p.filled(impl, peers), "-ops", strings.Join(slices.DeleteFunc(measured, func(op string) bool { return !p.wanted(op) }), ","))
}

// child runs this program again with args, for the results.
func (p *plan) child(ctx context.Context, args ...string) error {
	return p.run(ctx, p.out, nil, append(args, "-at-least", p.atLeast.String()))
}

// run runs this program again with args, under a tracer if there is one.
func (p *plan) run(ctx context.Context, out io.Writer, tracer, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if !slices.Contains(args, "-ops") {
		args = append(args, "-ops", strings.Join(p.ops, ","))
	}
	line := slices.Concat(tracer, []string{self}, args)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Stdout = out
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	return nil
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format, args...) }
