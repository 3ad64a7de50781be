package netmapcache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// TestCommitInterval: commits that write keep their distance. A commit without anything to write doesn't count, nor does Flush.
func TestCommitInterval(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var at []string // second, and number of calls
		begin := time.Now()
		nm := netmaptest.Realistic(5, 1)
		trace := netmapcache.Trace{Committed: func(i netmapcache.CommitInfo) {
			at = append(at, fmt.Sprint(int(time.Since(begin).Seconds()), ":", i.Calls))
		}}
		b := newBehind(netmapcache.WithCommitInterval(30*time.Second), netmapcache.WithTrace(&trace))
		for _, step := range []struct {
			second  time.Duration
			changes bool
		}{
			{0, true},    // committed at 5
			{7, true},    // the interval is over at 35
			{20, true},   // with the one before
			{40, false},  // at 65
			{70, true},   // at 75, since nothing was written at 65
			{100, false}, // at 105
		} {
			wait(step.second*time.Second - time.Since(begin))
			if step.changes {
				nm = netmaptest.WithSelfChanged(nm, uint64(step.second))
			}
			mustStore(t, b.Cache, nm)
		}
		wait(time.Second)
		if err := b.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		wait(time.Hour)
		if got, want := fmt.Sprint(at), "[5:1 35:2 65:1 75:1 101:1]"; got != want {
			t.Errorf("commits at %v, want %v", got, want)
		}
		b.checkStored(t, nm)
	})
}

// TestNotedDuringCommit: the interval also holds for changes that are noted during a commit.
func TestNotedDuringCommit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := memstore.New()
		c := netmapcache.NewCache(s, netmapcache.WithWriteBehind(delay, nil), netmapcache.WithCommitInterval(30*time.Second))
		nm := netmaptest.Realistic(5, 1)
		changed := netmaptest.WithPeerChanged(nm, 1, 1)
		commits := []time.Duration{}
		begin := time.Now()
		s.Before = func(op, _ string) error {
			if op == "Commit" {
				commits = append(commits, time.Since(begin))
				if len(commits) == 1 {
					mustStore(t, c, changed)
				}
			}
			return nil
		}
		mustStore(t, c, nm)
		wait(time.Hour)
		if want := []time.Duration{delay, delay + 30*time.Second}; !slices.Equal(commits, want) {
			t.Errorf("commits at %v, want %v", commits, want)
		}
	})
}

// TestFailingCommits: the Cache reports a failed commit, and tries again after growing pauses, with what was noted meanwhile.
func TestFailingCommits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBehind()
		b.failing(errFull)
		nm := netmaptest.Realistic(5, 1)
		begin := time.Now()
		mustStore(t, b.Cache, nm)
		var at []time.Duration
		for len(at) < 10 {
			wait(time.Second)
			if b.commits() > 0 {
				at = append(at, time.Since(begin))
				self := netmaptest.WithSelfChanged(nm, uint64(len(at))) // noted in a pause: doesn't shorten it
				nm = self
				if err := b.UpdateSelfOnly(t.Context(), self); err != nil {
					t.Fatal(err)
				}
				b.checkLoads(t, nm)
			}
		}
		pauses := []string{}
		last := time.Duration(0)
		for _, d := range at {
			pauses = append(pauses, (d - last).String())
			last = d
		}
		if got, want := fmt.Sprint(pauses), "[5s 5s 10s 20s 40s 1m20s 2m40s 5m0s 5m0s 5m0s]"; got != want {
			t.Errorf("pauses %s, want %s", got, want)
		}
		if errs := b.told(); len(errs) != len(at) || !errors.Is(errs[0], errFull) {
			t.Errorf("told: %v", errs)
		}
		b.failing(nil)
		wait(5 * time.Minute)
		b.checkStored(t, nm)

		changed := netmaptest.WithPeerChanged(nm, 1, 1)
		mustStore(t, b.Cache, changed)
		wait(delay) // the usual one again
		b.checkStored(t, changed)
	})
}

// TestMinuteOfChanges changes one peer each second in a small and in a large network, and counts what is written. With
// write-behind there is one commit in five seconds.
func TestMinuteOfChanges(t *testing.T) {
	for _, peers := range []int{100, 10_000} {
		written := make(map[time.Duration]int)
		for _, d := range []time.Duration{0, delay, 30 * time.Second} {
			inBubble(t, func(t *testing.T) {
				s := &counting{memory: memstore.New()}
				var opts []netmapcache.Option
				if d > 0 {
					opts = append(opts, netmapcache.WithWriteBehind(d, nil))
				}
				c := netmapcache.NewCache(s, opts...)
				nm := netmaptest.Realistic(peers, 1)
				mustStore(t, c, nm)
				if err := c.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				*s = counting{memory: s.memory}
				for i := range 60 {
					changed := netmaptest.WithPeerChanged(nm, i, uint64(i))
					if err := c.UpdatePeers(t.Context(), changed.Peers[i:i+1], nil); err != nil {
						t.Fatal(err)
					}
					wait(time.Second)
				}
				wait(d)
				commits := 60
				if d > 0 {
					commits = int(time.Minute / d)
				}
				if s.commits != commits {
					t.Errorf("%d peers, delay %v: %d commits, want %d", peers, d, s.commits, commits)
				}
				t.Logf("%d peers, delay %v: %d commits, %d bytes", peers, d, s.commits, s.bytes)
				written[d] = s.bytes
			})
		}
		if written[delay] >= written[0] || written[30*time.Second] >= written[delay] {
			t.Errorf("%d peers: bytes written by delay: %v", peers, written)
		}
	}
}

type memory = memstore.Store // a name that a type with a method Store can embed

// counting is a store that counts what is written.
type counting struct {
	*memory
	commits, bytes int
}

func (s *counting) Commit(ctx context.Context, ch store.Change) error {
	s.commits++
	for _, e := range ch.Put {
		s.bytes += len(e.Value)
	}
	return s.memory.Commit(ctx, ch)
}
