package netmapcache_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
)

// A reply is an outcome in a form that can be sent to another process.
type reply struct {
	None         bool // nothing is stored
	Err          string
	Loaded       content
	Peers, Users int
}

// replyTo makes a call on c.
func replyTo(ctx context.Context, c *netmapcache.Cache, k call) reply {
	o := k.do(ctx, c, nil)
	r := reply{None: isNone(o.err), Loaded: o.loaded, Peers: o.info.Peers, Users: o.info.Users}
	if o.err != nil && !r.None {
		r.Err = o.err.Error()
	}
	return r
}

// A client makes calls on a Cache of its own, here or in another process.
type client func(call) (reply, error)

// TestLinearizable: writers run at the same time. They see the store as if
// their calls had happened one after the other, each at some moment while it ran.
func TestLinearizable(t *testing.T) {
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		checkLinearizable(t, torture.Times(2, 20), func(t *testing.T) client {
			c := netmapcache.NewCache(s)
			return func(k call) (reply, error) { return replyTo(t.Context(), c, k), nil }
		})
		checkNoOrphansAfterStore(t, s)
	})
}

// checkNoOrphansAfterStore checks that a call of Store leaves no orphans.
func checkNoOrphansAfterStore(t *testing.T, s netmapcache.Store) {
	t.Helper()
	mustStore(t, netmapcache.NewCache(s), (*versions)(nil).netmap(selfOnly))
	checkNoOrphans(t, s)
}

// checkLinearizable records several times what clients of one store see,
// and searches for an order of the calls that explains it.
func checkLinearizable(t *testing.T, times int, open func(t *testing.T) client) {
	for _, writers := range []int{2, 8} {
		for _, clears := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d writers, clears=%v", writers, clears), func(t *testing.T) {
				var clients []client
				for range writers {
					clients = append(clients, open(t))
				}
				calls := 0
				for i := range times {
					history := record(t, clients, clears, uint64(i))
					if t.Failed() {
						return
					}
					if result := porcupine.CheckOperationsTimeout(register, history, time.Minute); result != porcupine.Ok {
						t.Fatalf("history %d is not linearizable (%s):\n%s", i, result, describe(history))
					}
					calls += len(history)
				}
				t.Logf("%d histories of %d calls in all", times, calls)
			})
		}
	}
}

// record lets clients make random calls at the same time, and returns what they saw.
func record(t *testing.T, clients []client, clears bool, seed uint64) []porcupine.Operation {
	var (
		clock   atomic.Int64 // counts the beginnings and ends of calls
		mu      sync.Mutex
		history []porcupine.Operation
		wg      sync.WaitGroup
	)
	const callsEach = 15
	for id, do := range clients {
		c := &caller{id: id, rand: rand.New(rand.NewPCG(seed, uint64(id))), clears: clears}
		one := func() bool {
			k := c.draw()
			op := porcupine.Operation{ClientId: id, Input: k, Call: clock.Add(1)}
			r, err := do(k)
			op.Output, op.Return = r, clock.Add(1)
			if err != nil || r.Err != "" {
				t.Errorf("client %d, %s: %s, %v", id, k.Op, r.Err, err)
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			history = append(history, op)
			return true
		}
		if id == 0 && !one() { // so that something is stored, unless a client clears it
			return nil
		}
		wg.Go(func() {
			for range callsEach {
				if !one() {
					return
				}
			}
		})
	}
	wg.Wait()
	return history
}

// A caller draws the calls of a client.
type caller struct {
	id     int
	rand   *rand.Rand
	clears bool
	calls  int
}

// draw returns the next call. The first is Store.
func (c *caller) draw() call {
	ops := []string{"Store", "Store", "Load", "Load", "Load", "Info",
		"UpdatePeers", "UpdatePeers", "UpdateUserProfiles", "UpdatePacketFilter", "UpdateSelfOnly"}
	if c.clears {
		ops = append(ops, "Clear")
	}
	k := call{Op: ops[c.rand.IntN(len(ops))]}
	if c.calls == 0 {
		k.Op = "Store"
	}
	c.calls++
	version := 1 + c.calls + 1000*c.id // no other call has it
	if k.writes() {
		k.Arg = content{Self: version, Filter: version}
		for g := range k.Arg.Peers {
			if peerGroups[g] < 10 || c.rand.IntN(4) == 0 {
				k.Arg.Peers[g] = version * c.rand.IntN(2)
			}
			k.Remove[g] = c.rand.IntN(4) == 0
		}
		for u := range k.Arg.Users {
			k.Arg.Users[u] = version * c.rand.IntN(2)
		}
	}
	return k
}

// A state is what a store holds.
type state struct {
	content
	none bool
}

// register is the model: a register that holds a whole netmap, or none.
var register = porcupine.Model{
	Init: func() any { return state{none: true} },
	Step: func(before, in, out any) (bool, any) {
		s, k, r := before.(state), in.(call), out.(reply)
		switch {
		case k.Op == "Store":
			return true, state{content: k.Arg}
		case k.Op == "UpdateSelfOnly" && s.none:
			return true, state{content: k.on(selfOnly)}
		case k.Op == "Clear":
			return true, state{none: true}
		}
		if r.None || s.none {
			return r.None && s.none, s
		}
		switch k.Op {
		case "Load":
			return s.content == r.Loaded, s
		case "Info":
			peers, users := s.counts()
			return r.Peers == peers && r.Users == users, s
		}
		return true, state{content: k.on(s.content)}
	},
}

// describe shows a history in the order in which the calls began.
func describe(history []porcupine.Operation) string {
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	for _, op := range history {
		fmt.Fprintf(&b, "%3d-%3d client %d: %+v -> %+v\n", op.Call, op.Return, op.ClientId, op.Input, op.Output)
	}
	return b.String()
}
