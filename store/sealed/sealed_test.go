package sealed_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/plainstore"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/netmapcache/netmapcache/store/sealed"
)

var testKey = bytes.Repeat([]byte{7}, sealed.KeySize)

// longName doesn't fit into a stored name.
var longName = strings.Repeat("n", 52)

func seal(t testing.TB, inner store.Store) store.Store {
	t.Helper()
	s, err := sealed.New(inner, testKey)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAbilities: a sealed store has the abilities of its inner store, and no others.
func TestAbilities(t *testing.T) {
	m := memstore.New()
	for name, inner := range map[string]store.Store{
		"neither": plainstore.New(m),
		"commits": struct{ store.Committer }{m},
		"loads":   struct{ store.BulkLoader }{m},
		"both":    m,
	} {
		s := seal(t, inner)
		_, wantCommits := inner.(store.Committer)
		_, wantLoads := inner.(store.BulkLoader)
		_, commits := s.(store.Committer)
		_, loads := s.(store.BulkLoader)
		if commits != wantCommits || loads != wantLoads {
			t.Errorf("%s: sealed, it is a Committer: %v, a BulkLoader: %v", name, commits, loads)
		}
	}
}

func TestKeySize(t *testing.T) {
	for _, size := range []int{0, 16, 31, 33, 64} {
		if _, err := sealed.New(memstore.New(), make([]byte, size)); err == nil {
			t.Errorf("a key of %d bytes is accepted", size)
		}
	}
}

// put stores pairs of name and value.
func put(t *testing.T, s store.Store, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := s.Store(t.Context(), pairs[i], []byte(pairs[i+1])); err != nil {
			t.Fatal(err)
		}
	}
}

// contents returns the keys of s in order, and what it holds under them.
func contents(t *testing.T, s store.Store) (keys []string, values map[string][]byte) {
	t.Helper()
	values = make(map[string][]byte)
	for key, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		value, err := s.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
		values[key] = value
	}
	return keys, values
}

// storedName returns the name under which inner, otherwise empty, gets an entry called name.
func storedName(t *testing.T, name string) string {
	t.Helper()
	inner := memstore.New()
	put(t, seal(t, inner), name, "")
	keys, _ := contents(t, inner)
	return keys[0]
}

// TestNothingInTheClear: neither names nor values, nor parts of them, reach the inner store,
// and equal values look different.
func TestNothingInTheClear(t *testing.T) {
	names := []string{"self", "peers-1f.00112233445566778899aabbccddeeff", strings.Repeat("n", 51), longName}
	value := "the value that nobody else may read"
	inner := memstore.New()
	s := seal(t, inner)
	for _, name := range names {
		put(t, s, name, value)
	}
	if err := s.(store.Committer).Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "committed", Value: []byte(value)}}}); err != nil {
		t.Fatal(err)
	}
	keys, values := contents(t, inner)
	if len(keys) != 5 {
		t.Fatalf("%d entries, want 5", len(keys))
	}
	seen := make(map[string]bool)
	for _, key := range keys {
		stored := key + string(values[key])
		for _, clear := range []string{"self", "peers", "0011", "nnnn", "committed", "value", "nobody"} {
			if strings.Contains(stored, clear) {
				t.Errorf("%q is stored in the clear", clear)
			}
		}
		if body := string(values[key][24:40]); seen[body] {
			t.Error("equal values are stored as equal bytes")
		} else {
			seen[body] = true
		}
	}
}

// TestTampering: changes to stored values without the key are detected.
func TestTampering(t *testing.T) {
	for _, name := range []string{"a", longName} {
		other := name + "'"
		inner := memstore.New()
		s := seal(t, inner)
		put(t, s, name, "value", other, "value")
		place, otherPlace := storedName(t, name), storedName(t, other)
		_, values := contents(t, inner)
		good := values[place]

		bad := map[string][]byte{"swapped": values[otherPlace], "extended": append(bytes.Clone(good), 0), "foreign": []byte("something else that is long enough to be a value")}
		for size := range good {
			bad["truncated"] = good[:size]
			for bit := range 8 {
				flipped := bytes.Clone(good)
				flipped[size] ^= 1 << bit
				bad["flipped"] = flipped
				for what, value := range bad {
					put(t, inner, place, string(value))
					got, err := s.Load(t.Context(), name)
					if got != nil || !errors.Is(err, store.ErrDamaged) {
						t.Fatalf("%s: Load = %q, %v, want ErrDamaged", what, got, err)
					}
					for got, err := range s.(store.BulkLoader).LoadMany(t.Context(), []string{name, other}) {
						if got != nil || !errors.Is(err, store.ErrDamaged) {
							t.Fatalf("%s: LoadMany = %q, %v, want ErrDamaged once", what, got, err)
						}
					}
				}
			}
		}
		for _, g := range []*store.Guard{{Key: name, Value: []byte("value")}, {Key: name, Absent: true}} {
			if err := s.(store.Committer).Commit(t.Context(), store.Change{Guard: g}); !errors.Is(err, store.ErrConflict) {
				t.Errorf("Commit guarded by a damaged value: %v, want ErrConflict", err)
			}
		}
		put(t, s, name, "new")
		if got, err := s.Load(t.Context(), name); string(got) != "new" || err != nil {
			t.Errorf("Load of what replaced it = %q, %v", got, err)
		}
	}
}

// TestRollback: an older value under its own name is not detected.
func TestRollback(t *testing.T) {
	inner := memstore.New()
	s := seal(t, inner)
	put(t, s, "a", "old")
	_, old := contents(t, inner)
	put(t, s, "a", "new")
	place := storedName(t, "a")
	put(t, inner, place, string(old[place]))
	if got, err := s.Load(t.Context(), "a"); string(got) != "old" || err != nil {
		t.Errorf("Load = %q, %v, want the old value", got, err)
	}
}

// TestForeignEntries: entries that aren't sealed under the key are skipped and left alone.
func TestForeignEntries(t *testing.T) {
	inner := memstore.New()
	other, err := sealed.New(inner, bytes.Repeat([]byte{8}, sealed.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	long := storedName(t, longName)
	put(t, other, "b", "theirs", longName, "theirs", "self", "theirs")
	put(t, inner, "self", "clear", "peers-0.aa", "clear", "!", "not base64", long[:31]+"A", "a long name's form")
	before, _ := contents(t, inner)

	s := seal(t, inner)
	if keys, _ := contents(t, s); len(keys) > 0 {
		t.Errorf("List has %q of others", keys)
	}
	if _, err := s.Load(t.Context(), "self"); !errors.Is(err, store.ErrKeyNotFound) {
		t.Errorf("Load of another's name: %v, want ErrKeyNotFound", err)
	}
	put(t, s, "c", "3", longName, "2", "self", "1")
	if keys, _ := contents(t, s); !slices.Equal(keys, []string{"c", longName, "self"}) {
		t.Errorf("List = %q", keys)
	}
	for _, name := range []string{"c", longName, "self"} {
		if err := s.Remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if after, _ := contents(t, inner); !slices.Equal(after, before) {
		t.Errorf("foreign entries changed: %q, before %q", after, before)
	}
}

// TestGuardOfValueSealedAnew: between the look at the guard and the change, another
// writer stores the same value again. The guard holds, though the stored bytes differ.
func TestGuardOfValueSealedAnew(t *testing.T) {
	inner := memstore.New()
	s := seal(t, inner)
	put(t, s, "a", "1")
	again := 0
	inner.Before = func(op, _ string) error {
		if op == "Commit" && again < 3 {
			again++
			put(t, seal(t, plainstore.New(inner)), "a", "1")
		}
		return nil
	}
	ch := store.Change{Guard: &store.Guard{Key: "a", Value: []byte("1")}, Put: []store.Entry{{Key: "a", Value: []byte("2")}}}
	if err := s.(store.Committer).Commit(t.Context(), ch); err != nil || again != 3 {
		t.Errorf("Commit: %v, after %d rewrites", err, again)
	}
	if got, err := s.Load(t.Context(), "a"); string(got) != "2" || err != nil {
		t.Errorf("Load = %q, %v", got, err)
	}
}

// TestFormat: this version reads what an earlier version stored under testKey, under its
// names. An independent implementation confirmed the format.
func TestFormat(t *testing.T) {
	entries := []struct{ name, value, storedName, storedValue string }{
		{"self", "short", "kDJoloxq6KFXA_0DKXFFdmR_6S3r-SLoyPpA2A", "06ba8mYO31ySU3ZODZWBV/rIaVXB/WOHH6oAaCrMA+cUUC6dmtHS7DwjihhH"},
		{longName, "long", "aNODGo7mNEI-PnYcGJptRqBV9TZWapq8", "kAgIdUleq0B0DjeH13uYjSCBt6i20UJmxmeubI2QNZXydstl6MzcSO/DjzPTTUdG" +
			"9dVBGg4gM6adDLnHgDrYpg8q8m0UJteCuWN+RYhj3SUA73qRIA+JJ/g8XsVs53h18g=="},
	}
	for _, e := range entries {
		inner := memstore.New()
		value, err := base64.StdEncoding.DecodeString(e.storedValue)
		if err != nil {
			t.Fatal(err)
		}
		put(t, inner, e.storedName, string(value))
		keys, values := contents(t, seal(t, inner))
		if !slices.Equal(keys, []string{e.name}) || string(values[e.name]) != e.value {
			t.Errorf("%s is read as %q", e.storedName, values)
		}
		if got := storedName(t, e.name); got != e.storedName {
			t.Errorf("%q is stored as %q, want %q", e.name, got, e.storedName)
		}
	}
}
