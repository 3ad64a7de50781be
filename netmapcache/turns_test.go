package netmapcache_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/plainstore"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"pgregory.net/rapid"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
)

// drawContent draws from few versions, so that netmaps have columns in common.
var drawContent = rapid.Custom(func(t *rapid.T) (c content) {
	version := rapid.SampledFrom([]int{0, 1, 1, 2})
	c.Self = rapid.IntRange(1, 3).Draw(t, "self")
	c.Filter = version.Draw(t, "filter")
	for g := range c.Peers {
		if peerGroups[g] < 10 || rapid.IntRange(0, 3).Draw(t, "large") == 0 {
			c.Peers[g] = version.Draw(t, "peers")
		}
	}
	for u := range c.Users {
		c.Users[u] = version.Draw(t, "user")
	}
	c.NilPeers = c.Peers == selfOnly.Peers && rapid.Bool().Draw(t, "nil peers")
	c.NilUsers = c.Users == selfOnly.Users && rapid.Bool().Draw(t, "nil users")
	return c
})

var drawCall = rapid.Custom(func(t *rapid.T) call {
	k := call{Op: rapid.SampledFrom([]string{
		"Store", "Store", "Load", "Info", "Clear",
		"UpdateSelfOnly", "UpdatePeers", "UpdatePeers", "UpdateUserProfiles", "UpdatePacketFilter",
	}).Draw(t, "op")}
	if k.writes() {
		k.Arg = drawContent.Draw(t, "content")
	}
	if k.Op == "UpdatePeers" {
		for g := range k.Remove {
			k.Remove[g] = rapid.IntRange(0, 3).Draw(t, "remove") == 0
		}
	}
	return k
})

var drawOwner = rapid.SampledFrom([]string{"", "", "", "somebody"})

// A commit is a snapshot that a store holds, or that a Cache remembers.
type commit struct {
	content
	owner      string
	generation uint64
	confirmed  time.Time
	root       string // the stored value
}

// A writer is a Cache, with the commit that it should remember, or nil.
type writer struct {
	*netmapcache.Cache
	owner string
	last  *commit
}

// A turns is a store with some writers that take turns, and the model of what is stored.
type turns struct {
	ctx     context.Context
	store   netmapcache.Store
	writers []*writer
	shared  *versions
	now     time.Time
	stored  *commit // nil for nothing
}

// TestTurns: writers take turns on a store. Each finds what the
// last commit left. Store replaces that, and an update changes what it names, as the model says.
func TestTurns(t *testing.T) {
	test := func(cases, long int, open func() netmapcache.Store) func(t *testing.T) {
		return func(t *testing.T) {
			torture.Check(t, cases, long, func(rt *rapid.T) {
				m := &turns{ctx: t.Context(), store: open(), shared: newVersions(), now: time.Unix(1e9, 0)}
				if err := netmapcache.NewCache(m.store).Clear(m.ctx); err != nil {
					rt.Fatal(err)
				}
				for range rapid.SampledFrom([]int{2, 8}).Draw(rt, "writers") {
					m.writers = append(m.writers, new(writer))
					m.restart(rt, len(m.writers)-1)
				}
				rt.Repeat(rapid.StateMachineActions(m))
			})
		}
	}
	t.Run("four methods", test(50, 3000, func() netmapcache.Store { return plainstore.New(memstore.New()) }))
	t.Run("memstore", test(50, 3000, func() netmapcache.Store { return memstore.New() }))
	eachStore(t, func(t *testing.T, s netmapcache.Store) {
		if _, ok := s.(*memstore.Store); !ok {
			test(5, 100, func() netmapcache.Store { return s })(t)
		}
	})
}

// TestUpdateAfterClear: a Cache remembers upstream's layout, which another Cache has
// cleared. Its update fails and stores nothing.
func TestUpdateAfterClear(t *testing.T) {
	s := memstore.New()
	nm := (*versions)(nil).netmap(content{Self: 1})
	if err := upstream.NewCache(s).Store(t.Context(), nm); err != nil {
		t.Fatal(err)
	}
	c := netmapcache.NewCache(s)
	mustLoad(t, c)
	if err := netmapcache.NewCache(s).Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.UpdatePacketFilter(t.Context(), nm.PacketFilterRules); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("UpdatePacketFilter: %v, want ErrCacheNotAvailable", err)
	}
	if all := contents(t, s); len(all) > 0 {
		t.Errorf("%d keys are left", len(all))
	}
}

// TestStoreBesideClear: another Cache's Clear removes columns while a Store is under
// way. The Store writes them again, although its Cache has seen them in the store.
func TestStoreBesideClear(t *testing.T) {
	s := memstore.New()
	c := netmapcache.NewCache(s)
	nm := (*versions)(nil).netmap(content{Self: 1})
	mustStore(t, c, nm)
	if err := s.Remove(t.Context(), "self"); err != nil { // the beginning of Clear
		t.Fatal(err)
	}
	s.Before = func(op, key string) error {
		if op == "Commit" {
			s.Before = nil
			for key := range contents(t, s) {
				if err := s.Remove(t.Context(), key); err != nil {
					t.Error(err)
				}
			}
		}
		return nil
	}
	mustStore(t, c, nm)
	checkLoad(t, c, s, nm)
}

// Restart replaces a writer by one that remembers nothing.
func (m *turns) Restart(t *rapid.T) {
	m.restart(t, rapid.IntRange(0, len(m.writers)-1).Draw(t, "writer"))
}

func (m *turns) restart(t *rapid.T, i int) {
	owner := drawOwner.Draw(t, "owner")
	clock := netmapcache.WithClock(func() time.Time { m.now = m.now.Add(time.Nanosecond); return m.now })
	m.writers[i] = &writer{Cache: netmapcache.NewCache(m.store, netmapcache.WithOwner(owner), clock), owner: owner}
}

// Wait lets enough time pass for the same netmap to be confirmed again.
func (m *turns) Wait(t *rapid.T) { m.now = m.now.Add(11 * time.Minute) }

// Call makes a call and compares its outcome with the expected one.
func (m *turns) Call(t *rapid.T) {
	w := m.writers[rapid.IntRange(0, len(m.writers)-1).Draw(t, "writer")]
	k := drawCall.Draw(t, "call")
	shared := m.shared
	if rapid.Bool().Draw(t, "fresh") {
		shared = nil
	}
	before := m.stored
	next, want := m.expect(w, k)
	written := next != nil && !m.isStored(w, k, *next)
	o := k.do(m.ctx, w.Cache, shared)
	if !errors.Is(o.err, want) || (want == netmapcache.ErrCacheNotAvailable) != isNone(o.err) {
		t.Fatalf("%s: %v, want %v", k.Op, o.err, want)
	}
	switch {
	case k.Op == "Clear":
		m.stored, w.last = nil, nil
	case o.err != nil && k.updates() && before == nil:
		w.last = nil
	case o.err != nil:
	case k.Op == "Load":
		if o.loaded != before.content {
			t.Fatalf("Load = %+v, want %+v", o.loaded, before.content)
		}
		w.last = before
	case k.Op == "Info":
		m.checkInfo(t, o.info)
	case written:
		m.stored = &commit{content: *next, owner: k.owner(w.owner, before), generation: 1, confirmed: m.now}
		if before != nil {
			m.stored.generation += before.generation
		}
		root, err := m.store.Load(m.ctx, "self")
		if err != nil {
			t.Fatal(err)
		}
		m.stored.root = string(root)
		w.last = m.stored
	default:
		w.last = before
	}
}

// expect returns the content that a call should store, or nil if it stores nothing, and the error that it should report.
func (m *turns) expect(w *writer, k call) (next *content, err error) {
	unusable := func(checkOwner bool) error {
		switch {
		case m.stored == nil:
			return netmapcache.ErrCacheNotAvailable
		case checkOwner && w.owner != "" && m.stored.owner != w.owner:
			return netmapcache.ErrWrongOwner
		}
		return nil
	}
	base := selfOnly
	switch {
	case k.Op == "Clear" || k.Op == "Store":
	case k.Op == "Load" || k.Op == "Info":
		err = unusable(k.Op == "Load")
	case m.stored == nil && k.Op == "UpdateSelfOnly":
	default:
		if err = unusable(true); err == nil {
			base = m.stored.content
			w.last = m.stored // the update reads it, unless it knows it
		}
	}
	if err != nil || !k.writes() {
		return nil, err
	}
	result := k.on(base)
	return &result, nil
}

// isStored reports whether w knows that next is stored already.
func (m *turns) isStored(w *writer, k call, next content) bool {
	return w.last != nil && m.stored != nil && w.last.root == m.stored.root && m.stored.content == next &&
		m.stored.owner == k.owner(w.owner, m.stored) && m.now.Sub(m.stored.confirmed) <= 10*time.Minute
}

// Check compares the store with the model. It runs after each action.
func (m *turns) Check(t *rapid.T) {
	c, info, ok, err := load(m.ctx, m.store)
	if err != nil {
		t.Fatal(err)
	}
	if ok != (m.stored != nil) {
		t.Fatalf("a netmap is stored: %v, want %v", ok, !ok)
	}
	keys, bytes := 0, int64(0)
	for key, err := range m.store.List(m.ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		value, err := m.store.Load(m.ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		keys++
		bytes += int64(len(value))
	}
	if !ok {
		if keys > 0 {
			t.Fatalf("%d keys are left and no netmap", keys)
		}
		return
	}
	if c != m.stored.content {
		t.Fatalf("stored = %+v, want %+v", c, m.stored.content)
	}
	if keys != info.Columns+1 || bytes != info.Bytes {
		t.Fatalf("store holds %d keys, %d bytes; want %d columns and a root, %d bytes", keys, bytes, info.Columns, info.Bytes)
	}
	m.checkInfo(t, info)
	root, err := m.store.Load(m.ctx, "self")
	if err != nil || string(root) != m.stored.root {
		t.Fatalf("the root was written again, or not (%v)", err)
	}
}

// checkInfo compares info with the model.
func (m *turns) checkInfo(t *rapid.T, info netmapcache.Info) {
	peers, users := m.stored.counts()
	if info.Owner != m.stored.owner || info.Generation != m.stored.generation || info.Peers != peers || info.Users != users {
		t.Fatalf("Info = %+v, want %+v", info, m.stored)
	}
}

// counts returns the numbers of peers and users.
func (c content) counts() (peers, users int) {
	for g, version := range c.Peers {
		if version > 0 {
			peers += peerGroups[g]
		}
	}
	for _, version := range c.Users {
		users += min(version, 1)
	}
	return peers, users
}
