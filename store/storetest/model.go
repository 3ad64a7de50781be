package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/plainstore"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/store"
	"pgregory.net/rapid"
)

// testModel: a store answers random calls, in any order, as a map would.
func (r *runner) testModel(t *testing.T) {
	s := r.begin(t)
	torture.Check(t, r.opts.Cases, 10*r.opts.Cases, func(rt *rapid.T) {
		m := &model{test: t, ctx: t.Context(), reopen: r.opts.Reopen, store: s, values: make(map[string]string)}
		rt.Cleanup(func() { s = m.store })
		m.clear(rt)
		rt.Repeat(rapid.StateMachineActions(m))
	})
}

// A model is a store, what it should hold, and the actions of a random test.
type model struct {
	test   *testing.T
	ctx    context.Context
	reopen func(*testing.T, store.Store) store.Store
	store  store.Store
	values map[string]string
}

// There are few keys, so that actions meet. Each is a neighbour or a prefix of
// another, or at an end of the order.
var (
	modelKeys     = []string{" ", "a", "a-", "a.b", "aa", "b", "peers-0.x", "peers-1.x", "peers-1.y", "self", "~", longKey}
	modelBadKeys  = []string{"", "é", "a\x00", "\x1f", "a\xff", longKey + "k"}
	modelPrefixes = append([]string{"", "p", "peers-1.", "A", "z", "~~"}, modelKeys...)

	drawKey    = rapid.SampledFrom(modelKeys)
	drawBadKey = rapid.SampledFrom(modelBadKeys)
	drawAnyKey = rapid.SampledFrom(slices.Concat(modelKeys, modelBadKeys))
	drawPrefix = rapid.SampledFrom(slices.Concat(modelPrefixes, modelBadKeys[1:]))
	drawValue  = rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat(rapid.SampledFrom([]string{"1", "\x00", "\xff", "é"}).Draw(t, "of"), rapid.SampledFrom([]int{0, 1, 2, 5000}).Draw(t, "times"))
	})
)

// clear empties the store, since the last case may have left it in any state.
func (m *model) clear(t *rapid.T) {
	keys, err := listKeys(m.ctx, m.store, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Commit(m.ctx, m.store, store.Change{Remove: keys}); err != nil {
		t.Fatal(err)
	}
}

// Check compares the store with what it should hold. It runs after each action.
func (m *model) Check(t *rapid.T) {
	keys, err := listKeys(m.ctx, m.store, "")
	if want := slices.Sorted(maps.Keys(m.values)); err != nil || !slices.Equal(keys, want) {
		t.Fatalf("keys = %q, %v, want %q", keys, err, want)
	}
	m.loadMany(t, keys, len(keys), func() {})
}

// keysOf returns the keys that should be listed for prefix.
func (m *model) keysOf(prefix string) []string {
	keys := slices.Sorted(maps.Keys(m.values))
	return slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) })
}

func (m *model) List(t *rapid.T) {
	prefix := drawPrefix.Draw(t, "prefix")
	if err := list(prefix, m.keysOf(prefix)...)(m.ctx, m.store); err != nil {
		t.Fatal(err)
	}
}

// ListAndBreak ends the iteration early.
func (m *model) ListAndBreak(t *rapid.T) {
	want := m.keysOf("")
	n := rapid.IntRange(1, len(modelKeys)).Draw(t, "number of keys")
	var got []string
	for key, err := range m.store.List(m.ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, key); len(got) == n {
			break
		}
	}
	if want = want[:min(n, len(want))]; !slices.Equal(got, want) {
		t.Fatalf("the first keys = %q, want %q", got, want)
	}
}

// ListAndChange changes the store inside the iteration. Keys that it changes
// may be listed or not. The others must be listed.
func (m *model) ListAndChange(t *rapid.T) {
	prefix := drawPrefix.Draw(t, "prefix")
	maybe := make(map[string]bool)
	want := m.keysOf(prefix)
	var got []string
	for key, err := range m.store.List(m.ctx, prefix) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, key)
		if len(got) > len(modelKeys) {
			break
		}
		for _, key := range m.change(t) {
			maybe[key] = true
		}
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Fatalf("keys out of order: %q", got)
	}
	for _, key := range modelKeys {
		if maybe[key] {
			continue
		}
		if slices.Contains(want, key) != slices.Contains(got, key) {
			t.Fatalf("List(%q) = %q, want %q, save that %q may be listed or not", prefix, got, want, slices.Sorted(maps.Keys(maybe)))
		}
	}
}

func (m *model) Load(t *rapid.T) {
	key := drawAnyKey.Draw(t, "key")
	check := absent(key)
	if value, ok := m.values[key]; ok {
		check = get(key, value)
	}
	if err := check(m.ctx, m.store); err != nil {
		t.Fatal(err)
	}
}

// LoadMany loads keys that may be absent, bad, or repeated.
func (m *model) LoadMany(t *rapid.T) {
	keys := rapid.SliceOfN(drawAnyKey, 0, 20).Draw(t, "keys")
	m.loadMany(t, keys, len(keys), func() {})
}

// LoadManyAndChange changes the store inside the iteration.
func (m *model) LoadManyAndChange(t *rapid.T) {
	keys := rapid.SliceOfN(drawKey, 0, 20).Draw(t, "keys")
	m.loadMany(t, keys, len(keys), func() { m.change(t) })
}

// loadMany checks the values of keys, n at most, and calls within after each.
// The changes that within makes may be seen or not.
func (m *model) loadMany(t *rapid.T, keys []string, n int, within func()) {
	n = min(n, len(keys))
	states := []map[string]string{maps.Clone(m.values)}
	i := 0
	for value, err := range store.LoadMany(m.ctx, m.store, keys) {
		if i == n {
			t.Fatalf("LoadMany yields more than %d values", n)
		}
		if !slices.ContainsFunc(states, func(values map[string]string) bool {
			want, ok := values[keys[i]]
			if !ok {
				return value == nil && errors.Is(err, store.ErrKeyNotFound)
			}
			return err == nil && string(value) == want
		}) {
			t.Fatalf("LoadMany: %q = %s, %v, which it wasn't", keys[i], brief(value), err)
		}
		if i++; i == n {
			break
		}
		within()
		states = append(states, maps.Clone(m.values))
	}
	if i != n {
		t.Fatalf("LoadMany yields %d values, want %d", i, n)
	}
}

// LoadManyAndBreak ends the iteration early.
func (m *model) LoadManyAndBreak(t *rapid.T) {
	n := rapid.IntRange(1, len(modelKeys)).Draw(t, "number of values")
	m.loadMany(t, modelKeys, n, func() {})
}

func (m *model) Store(t *rapid.T) {
	key, value := drawKey.Draw(t, "key"), drawValue.Draw(t, "value")
	if err := put(key, value)(m.ctx, m.store); err != nil {
		t.Fatal(err)
	}
	m.values[key] = value
}

func (m *model) StoreBadKey(t *rapid.T) {
	key := drawBadKey.Draw(t, "key")
	if err := m.store.Store(m.ctx, key, nil); !errors.Is(err, store.ErrBadKey) {
		t.Fatalf("Store(%q): %v, want ErrBadKey", key, err)
	}
}

func (m *model) Remove(t *rapid.T) {
	key := drawAnyKey.Draw(t, "key")
	if err := remove(key)(m.ctx, m.store); err != nil {
		t.Fatal(err)
	}
	delete(m.values, key)
}

func (m *model) Commit(t *rapid.T) { m.commit(t) }

// Reopen opens the store again, if it persists.
func (m *model) Reopen(t *rapid.T) {
	if m.reopen == nil {
		return
	}
	_, isPlain := m.store.(plainstore.Store)
	m.store = m.reopen(m.test, whole(m.store))
	if isPlain {
		m.store = plainstore.New(m.store)
	}
}

// ContextEnded tries everything with a context that has ended.
func (m *model) ContextEnded(t *rapid.T) {
	ctx, cancel := context.WithCancel(m.ctx)
	cancel()
	key := drawKey.Draw(t, "key")
	_, loadErr := m.store.Load(ctx, key)
	_, listErr := listKeys(ctx, m.store, "")
	errs := map[string]error{
		"Load":   loadErr,
		"List":   listErr,
		"Store":  m.store.Store(ctx, key, []byte("late")),
		"Remove": m.store.Remove(ctx, key),
		"Commit": store.Commit(ctx, m.store, store.Change{Put: []store.Entry{entry(key, "late")}}),
	}
	for _, err := range store.LoadMany(ctx, m.store, []string{key}) {
		errs["LoadMany"] = err
	}
	for op, err := range errs {
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v, want context.Canceled", op, err)
		}
	}
}

// change changes the store in one of three ways and returns the keys concerned.
func (m *model) change(t *rapid.T) []string {
	before := maps.Clone(m.values)
	rapid.SampledFrom([]func(*rapid.T){m.Store, m.Remove, m.commit}).Draw(t, "change")(t)
	return slices.DeleteFunc(slices.Clone(modelKeys), func(key string) bool {
		old, had := before[key]
		value, has := m.values[key]
		return had == has && old == value
	})
}

// commit applies a change, or checks that it is refused.
func (m *model) commit(t *rapid.T) {
	var ch store.Change
	keys := rapid.Permutation(modelKeys).Draw(t, "keys")
	puts := rapid.IntRange(0, 4).Draw(t, "number of keys to put")
	removes := rapid.IntRange(0, 4).Draw(t, "number of keys to remove")
	for _, key := range keys[:puts] {
		ch.Put = append(ch.Put, entry(key, drawValue.Draw(t, "value")))
	}
	ch.Remove = keys[puts : puts+removes]

	var want error
	switch rapid.SampledFrom([]string{"", "", "present", "absent", "as it is", "as it is", "bad guard", "bad key", "twice", "bad removal"}).Draw(t, "guard or defect") {
	case "present":
		ch.Guard = guard(drawKey.Draw(t, "guarded"), drawValue.Draw(t, "value"))
	case "absent":
		ch.Guard = guardAbsent(drawKey.Draw(t, "guarded"))
	case "as it is":
		key := drawKey.Draw(t, "guarded")
		ch.Guard = guardAbsent(key)
		if value, ok := m.values[key]; ok {
			ch.Guard = guard(key, value)
		}
	case "bad guard":
		ch.Guard, want = guardAbsent(drawBadKey.Draw(t, "guarded")), store.ErrBadKey
	case "bad key":
		ch.Put, want = append(ch.Put, entry(drawBadKey.Draw(t, "bad"), "")), store.ErrBadKey
	case "twice":
		ch.Remove, want = append(slices.Clone(ch.Remove), keys[0], keys[0]), errAny
	case "bad removal":
		ch.Remove = append(slices.Clone(ch.Remove), drawBadKey.Draw(t, "bad"))
	}
	if g := ch.Guard; g != nil && want == nil {
		if value, ok := m.values[g.Key]; ok == g.Absent || ok && value != string(g.Value) {
			want = store.ErrConflict
		}
	}

	err := store.Commit(m.ctx, m.store, ch)
	switch {
	case want == nil && err != nil:
		t.Fatalf("Commit: %v", err)
	case want != nil && (err == nil || want != errAny && !errors.Is(err, want)):
		t.Fatalf("Commit: %v, want %v", err, want)
	case want != nil:
		return
	}
	for _, e := range ch.Put {
		m.values[e.Key] = string(e.Value)
	}
	for _, key := range ch.Remove {
		delete(m.values, key)
	}
}

// errAny stands for an error that has no name.
var errAny = errors.New("an error")
