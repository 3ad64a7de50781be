// Package storetest is the conformance suite of package store's contract. The
// tests of every store run it, natively or in a browser:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return memstore.New() }, storetest.Options{})
//	}
package storetest

import (
	"bytes"
	"cmp"
	"runtime"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/plainstore"
	"github.com/netmapcache/netmapcache/store"
)

// Options adapts the suite to a store and to the speed of a platform. The zero
// value of a field stands for its default.
type Options struct {
	// Reopen returns a new store on the data of s, which is not used again. If
	// it is nil, the suite doesn't test persistence.
	Reopen func(t *testing.T, s store.Store) store.Store

	// Live returns the number of resources of some kind that are held at
	// present, such as values of js.Func. The suite checks that each test
	// leaves as many as it found. It always checks goroutines.
	Live func() int

	// LargeValue is the size of a large value in bytes. Default: 16 MiB.
	LargeValue int

	// Keys is the number of keys in tests with many keys. Default: 400.
	Keys int

	// Workers is the number of goroutines in concurrent tests. Default: 16.
	Workers int

	// Rounds is how often a worker repeats its work. Default: 5.
	Rounds int

	// Cases is the number of random cases, each of some 30 actions, in which the suite
	// compares a store with a map. Default: 50. A browser does a tenth of them.
	// The environment variable TORTURE multiplies them by 10.
	Cases int
}

// Run tests whether the stores that open returns keep the contract of
// [store.Store], and those of [store.Committer] and [store.BulkLoader] if they
// have these abilities. It also tests whether [store.Commit] and [store.LoadMany] do the same
// with the four methods alone.
//
// Each call of open must return an empty store that shares nothing with the others,
// and arrange by t.Cleanup that it is closed. Tests run one after another.
func Run(t *testing.T, open func(t *testing.T) store.Store, opts Options) {
	opts.LargeValue = cmp.Or(opts.LargeValue, 16<<20)
	opts.Keys = cmp.Or(opts.Keys, 400)
	opts.Workers = cmp.Or(opts.Workers, 16)
	opts.Rounds = cmp.Or(opts.Rounds, 5)
	opts.Cases = cmp.Or(opts.Cases, 50)

	r := &runner{open: open, opts: opts}
	t.Run("Scripts", func(t *testing.T) { r.scripts(t, basicScripts) })
	t.Run("Values", r.testValues)
	t.Run("BadKeys", r.testBadKeys)
	t.Run("Iteration", r.testIteration)
	t.Run("Context", r.testContext)
	t.Run("Workers", r.testWorkers)
	t.Run("Reopen", r.testReopen)

	// The helpers of package store use the abilities that a store has.
	abilities := func(t *testing.T) {
		t.Run("Commit", func(t *testing.T) { r.scripts(t, commitScripts) })
		t.Run("CommitContext", r.testCommitContext)
		t.Run("LoadMany", r.testLoadMany)
		t.Run("Model", r.testModel)
	}
	probe := r.begin(t)
	_, commits := probe.(store.Committer)
	_, loads := probe.(store.BulkLoader)
	if commits || loads {
		t.Run("Native", abilities)
	}
	if commits {
		t.Run("Atomic", r.testAtomic)
		t.Run("Race", r.testRace)
		t.Run("Count", r.testCount)
	}
	r.open = func(t *testing.T) store.Store { return plainstore.New(open(t)) }
	t.Run("Fallback", abilities)
}

// whole returns s with all of its abilities, since writing many values is faster with them.
func whole(s store.Store) store.Store {
	if p, ok := s.(plainstore.Store); ok {
		return p.Whole()
	}
	return s
}

type runner struct {
	open func(t *testing.T) store.Store
	opts Options
}

// begin opens a store for t. After the store's own cleanup, t checks that nothing
// of it stays behind.
func (r *runner) begin(t *testing.T) store.Store {
	before := goroutines()
	live := 0
	if r.opts.Live != nil {
		live = r.opts.Live()
	}
	t.Cleanup(func() {
		if r.opts.Live != nil {
			settle(t, "live resources", r.opts.Live, live)
		}
		settle(t, "goroutines", goroutines, before)
	})
	return r.open(t)
}

// goroutines returns the number of goroutines. It doesn't count the one that the runtime has
// in a browser whenever the program has waited for an event.
func goroutines() int {
	n := runtime.NumGoroutine()
	if runtime.GOOS == "js" {
		stacks := make([]byte, 1<<20)
		n -= bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("\nruntime.handleEvent("))
	}
	return n
}

// settle waits until count is no greater than want. A resource may end
// a moment after the call that ends it has returned.
func settle(t *testing.T, what string, count func() int, want int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for count() > want {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			t.Errorf("%d %s left behind, %d before\n%s", count(), what, want, stacks)
			return
		}
		time.Sleep(time.Millisecond)
	}
}
