package netmapcache_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// A damager damages a store in one way after the other, and loads from it.
type damager struct {
	t      *testing.T
	store  *memstore.Store
	stored map[string]string // what is in store between two tries

	cases, loaded int
	texts         map[string]bool // of all errors
}

func newDamager(t *testing.T, s *memstore.Store) *damager {
	return &damager{t: t, store: s, stored: contents(t, s), texts: make(map[string]bool)}
}

// keys returns the keys of the store.
func (d *damager) keys() []string { return slices.Sorted(maps.Keys(d.stored)) }

// try loads with other values under some keys, where "" stands for no value. If a netmap
// is loaded, check judges it. Any error must be an
// ErrCacheNotAvailable, and if there is a root an ErrCorrupt.
func (d *damager) try(what string, change map[string]string, check func(*netmap.NetworkMap) string) {
	d.t.Helper()
	d.put(change)
	nm, err := netmapcache.NewCache(d.store).Load(d.t.Context())
	_, infoErr := netmapcache.NewCache(d.store).Info(d.t.Context())
	d.cases++
	switch root, changed := change["self"]; {
	case err == nil:
		d.loaded++
		if wrong := check(nm); wrong != "" {
			d.t.Fatalf("%s: Load: %s", what, wrong)
		}
	case nm != nil, !errors.Is(err, netmapcache.ErrCacheNotAvailable), !errors.Is(err, netmapcache.ErrCorrupt) && !(changed && root == ""):
		d.t.Fatalf("%s: Load: got %v, %v", what, nm, err)
	}
	for _, err := range []error{err, infoErr} {
		if err != nil {
			d.texts[err.Error()] = true
		}
	}
	restore := make(map[string]string)
	for key := range change {
		restore[key] = d.stored[key]
	}
	d.put(restore)
}

func (d *damager) put(values map[string]string) {
	d.t.Helper()
	for key, value := range values {
		err := d.store.Remove(d.t.Context(), key)
		if value != "" {
			err = d.store.Store(d.t.Context(), key, []byte(value))
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

// everything tries all kinds of damage to single values. It tries one in every of the flipped bits
// and of the lengths that values are cut to.
func (d *damager) everything(every int, check func(*netmap.NetworkMap) string) {
	d.t.Helper()
	n := 0
	for _, key := range d.keys() {
		value := d.stored[key]
		for i := range 8 * len(value) {
			if n++; n%every == 0 {
				flipped := []byte(value)
				flipped[i/8] ^= 1 << (i % 8)
				d.try(fmt.Sprintf("%s with bit %d flipped", key, i), map[string]string{key: string(flipped)}, check)
			}
		}
		for length := 1; length < len(value); length++ {
			if n++; n%every == 0 {
				d.try(fmt.Sprintf("%s cut to %d bytes", key, length), map[string]string{key: value[:length]}, check)
			}
		}
		d.try(key+" lost", map[string]string{key: ""}, check)
		for _, other := range d.keys() {
			if other > key {
				d.try(fmt.Sprintf("%s and %s swapped", key, other), map[string]string{key: d.stored[other], other: value}, check)
			}
		}
	}
}

// TestEveryBit damages a snapshot with each kind of column in every small way. Load
// reports the damage, or returns exactly what was stored.
func TestEveryBit(t *testing.T) {
	older, newer := netmapcache.SmallForTest(2), netmapcache.SmallForTest(1)
	older.DNS.Domains = []string{"older.example.com"} // no column is the same in both
	older.DERPMap = &tailcfg.DERPMap{OmitDefaultRegions: true}
	older.SSHPolicy = &tailcfg.SSHPolicy{}
	before, s := memstore.New(), memstore.New()
	mustStore(t, netmapcache.NewCache(before), older)
	mustStore(t, netmapcache.NewCache(s), newer)
	olderValues := contents(t, before)
	d := newDamager(t, s)

	want := expected(newer)
	exact := func(got *netmap.NetworkMap) string { return netmaptest.Diff(got, want) }
	none := func(*netmap.NetworkMap) string { return "damage was not noticed" }
	d.everything(torture.Times(11, 1), none)

	for _, key := range d.keys() {
		name, _, _ := strings.Cut(key, ".")
		for _, other := range []string{name + "." + strings.Repeat("0", 32), "peers-7." + strings.Repeat("a", 32), "self2", "peer-n1", "user-1", "dns"} {
			d.try(key+" also under "+other, map[string]string{other: d.stored[key]}, exact)
		}
		for olderKey, value := range olderValues {
			if olderName, _, _ := strings.Cut(olderKey, "."); olderName == name {
				d.try(key+" as it was before", map[string]string{key: value}, none)
				d.try(key+" beside what it was before", map[string]string{olderKey: value, key: d.stored[key]}, exact)
			}
		}
	}

	// An older root comes with its own columns, or with none at all.
	wantOlder := expected(older)
	d.try("all as it was before", olderValues, func(got *netmap.NetworkMap) string { return netmaptest.Diff(got, wantOlder) })
	for key := range olderValues {
		values := maps.Clone(olderValues)
		delete(values, key)
		if key == "self" {
			d.try("columns of before", values, exact)
		} else {
			d.try("all of before but "+key, values, none)
		}
	}
	d.finish(newer, older)
}

// TestEveryBitOfUpstream does the same with upstream's layout. It has no
// digests, so another netmap may be loaded. But there is no panic, and no invalid view.
func TestEveryBitOfUpstream(t *testing.T) {
	s := memstore.New()
	nm := netmapcache.SmallForTest(1)
	if err := upstream.NewCache(s).Store(t.Context(), nm); err != nil {
		t.Fatal(err)
	}
	d := newDamager(t, s)
	d.everything(torture.Times(101, 1), func(got *netmap.NetworkMap) string {
		if err := netmapcache.CheckViewsForTest(got); err != nil {
			return err.Error()
		}
		return ""
	})
	d.finish(nm)
}

// finish logs what was tried, and checks that no error quotes one of the netmaps.
func (d *damager) finish(netmaps ...*netmap.NetworkMap) {
	d.t.Helper()
	secrets := make(map[string]bool)
	for _, nm := range netmaps {
		collectStrings(d.t, nm, secrets)
	}
	if len(secrets) < 50 {
		d.t.Fatalf("found only %d strings in the netmaps", len(secrets))
	}
	for text := range d.texts {
		for secret := range secrets {
			if strings.Contains(text, secret) {
				d.t.Errorf("error tells %q: %s", secret, text)
			}
		}
	}
	d.t.Logf("%d cases, %d loaded; %d error texts, searched for %d strings", d.cases, d.loaded, len(d.texts), len(secrets))
}

// collectStrings adds to all the strings, the longer numbers and the names of map
// entries in the JSON of nm.
func collectStrings(t *testing.T, nm *netmap.NetworkMap, all map[string]bool) {
	t.Helper()
	const shortest = 5 // shorter ones are in any text
	var collect func(v any)
	add := func(s string) {
		if len(s) >= shortest {
			all[s] = true
		}
	}
	collect = func(v any) {
		switch v := v.(type) {
		case string:
			add(v)
		case json.Number:
			add(v.String())
		case []any:
			for _, e := range v {
				collect(e)
			}
		case map[string]any:
			for name, e := range v {
				if strings.ContainsAny(name, ".:/-") { // not the name of a field
					add(name)
				}
				collect(e)
			}
		}
	}
	s := memstore.New()
	if err := upstream.NewCache(s).Store(t.Context(), nm); err != nil {
		t.Fatal(err)
	}
	for _, value := range contents(t, s) {
		dec := json.NewDecoder(strings.NewReader(value))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		collect(v)
	}
}
