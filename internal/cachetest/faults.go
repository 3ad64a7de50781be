package cachetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/types/netmap"
)

// A Faulty is an empty store in which operations can fail.
type Faulty struct {
	Store store.Store

	// Arm makes the store call hook before each operation, and after each that changed
	// something. The operation fails with the error that hook returns.
	// Arm of nil ends that.
	Arm func(hook func(done bool) error)

	Sweeps bool // a Store removes orphans
	Behind bool // caches write behind, and Flush commits
}

// cache returns a Cache of the store.
func (s Faulty) cache() *netmapcache.Cache {
	if s.Behind {
		return netmapcache.NewCache(s.Store, netmapcache.WithWriteBehind(time.Hour, nil))
	}
	return netmapcache.NewCache(s.Store)
}

// store stores nm, and flushes if writing behind.
func (s Faulty) store(ctx context.Context, c *netmapcache.Cache, nm *netmap.NetworkMap) error {
	return flushed(ctx, c, c.Store(ctx, nm))
}

// flushed returns err, or, if that is nil, the error of Flush.
func flushed(ctx context.Context, c *netmapcache.Cache, err error) error {
	if err != nil {
		return err
	}
	return c.Flush(ctx)
}

var causes = []error{syscall.EIO, syscall.ENOSPC, fs.ErrPermission, context.Canceled}

// The ways to fail.
const (
	failBefore = iota // one operation fails and has no effect
	failAfter         // one operation fails but took effect
	failOn            // all fail from one on
)

// Faults plays each script as often as it has operations on the store, or on the layer
// below, and makes one operation after the other fail, in all ways. It checks that the
// call reports the cause, and that it left what was stored before, or, if the operation
// may have taken effect, what it should store. Then it checks in several ways that the Cache goes on
// as if nothing had happened.
//
// Unless torture is on, only each stride-th operation fails.
func Faults(t *testing.T, stride int, open func() Faulty) {
	stride = torture.Times(stride, 1)
	for _, script := range Scripts() {
		if script.Name == "growth" && !torture.Long() {
			continue // nothing new, and slow
		}
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart=%v", script.Name, restart), func(t *testing.T) {
				cases := 0
				for i := range script.Steps {
					for way := failBefore; way <= failOn; way++ {
						for n := (i + way) % stride; ; n += stride {
							reached := false
							for variant := range torture.Times(1, 4) {
								f := fault{script: script, step: i, restart: restart, way: way, n: n, variant: n + variant}
								cases++
								var err error
								if reached, err = f.play(t.Context(), open()); err != nil {
									t.Fatalf("%s: operation %d failed, way %d, with %q: %v", script.Steps[i].Name, n, way, f.cause(), err)
								}
							}
							if !reached {
								break
							}
						}
					}
				}
				t.Logf("%d cases", cases)
			})
		}
	}
}

// A fault is one operation that fails, in one call.
type fault struct {
	script  Script
	step    int
	restart bool
	way     int
	n       int // number of the operation
	variant int // decides the cause, and what comes afterwards
}

func (f fault) cause() error { return causes[f.variant%len(causes)] }

// play makes the operation fail, and reports whether there was one.
func (f fault) play(ctx context.Context, s Faulty) (reached bool, err error) {
	if err := f.script.Fill(ctx, s.Store); err != nil {
		return false, err
	}
	cache := s.cache()
	for _, step := range f.script.Steps[:f.step] {
		if err := flushed(ctx, cache, step.Call(ctx, cache)); err != nil {
			return false, fmt.Errorf("%s: %w", step.Name, err)
		}
	}
	if f.restart {
		cache = s.cache()
	}
	step, before := f.script.Steps[f.step], f.script.Before(f.step)

	during, cancel := context.WithCancel(ctx)
	defer cancel()
	count := 0
	s.Arm(func(done bool) error {
		if done != (f.way == failAfter) {
			return nil
		}
		count++
		if count <= f.n || count > f.n+1 && f.way != failOn {
			return nil
		}
		if f.cause() == context.Canceled {
			cancel()
		}
		return f.cause()
	})
	err = flushed(during, cache, step.Call(during, cache))
	s.Arm(nil)
	if count <= f.n {
		return false, err
	}

	wants := []*netmap.NetworkMap{before}
	switch {
	case err == nil: // the call didn't need the operation
		wants = []*netmap.NetworkMap{step.Want}
	case !errors.Is(err, f.cause()) || errors.Is(err, netmapcache.ErrCacheNotAvailable):
		return true, fmt.Errorf("error %v", err)
	case f.way != failBefore || step.Want == nil:
		// A Clear is in force from its first change on.
		wants = append(wants, step.Want)
	}
	left, err := Loads(ctx, netmapcache.NewCache(s.Store), wants...)
	if err != nil {
		return true, err
	}
	return true, f.afterwards(ctx, s, cache, left)
}

// afterwards checks in one of several ways that cache goes on. left is what is stored.
func (f fault) afterwards(ctx context.Context, s Faulty, cache *netmapcache.Cache, left *netmap.NetworkMap) error {
	step, before := f.script.Steps[f.step], f.script.Before(f.step)
	want := step.Want
	way := f.variant / len(causes) % 4
	if s.Behind && way == 2 {
		way = 0 // what failed is still noted
	}
	switch way {
	case 0:
		if err := flushed(ctx, cache, step.Call(ctx, cache)); err != nil {
			return fmt.Errorf("once more: %w", err)
		}
	case 1:
		if want = before; want == nil {
			want = Other()
		}
		if err := s.store(ctx, cache, want); err != nil {
			return fmt.Errorf("Store of what was stored before: %w", err)
		}
	case 2:
		want = left
	case 3:
		want = Other()
		if err := s.store(ctx, cache, want); err != nil {
			return fmt.Errorf("Store of another netmap: %w", err)
		}
	}
	for _, c := range []*netmapcache.Cache{cache, netmapcache.NewCache(s.Store)} {
		if _, err := Loads(ctx, c, want); err != nil {
			return fmt.Errorf("afterwards: %w", err)
		}
	}
	if !s.Sweeps {
		return nil
	}
	if want == nil {
		want = Other()
	}
	if err := s.store(ctx, cache, want); err != nil {
		return fmt.Errorf("Store at the end: %w", err)
	}
	return NoOrphans(ctx, s.Store)
}
