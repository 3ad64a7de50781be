package netmapcache

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// A fuzzer can't get past the digests that protect a snapshot. So it makes up
// roots and columns without digests, and the tests add the digests.

// FuzzRoot uses its input as the bytes of a root.
func FuzzRoot(f *testing.F) {
	s := memstore.New()
	if err := NewCache(s, WithOwner("owner")).Store(f.Context(), SmallForTest(1)); err != nil {
		f.Fatal(err)
	}
	value, err := s.Load(f.Context(), rootKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value[1 : len(value)-sealTrailer])
	f.Add([]byte{0xa1, 0x01, 0x02}) // a later version
	f.Fuzz(func(t *testing.T, data []byte) {
		s := memstore.New()
		mustPut(t, s, rootKey, SealForTest(data))
		root, err := openRoot(SealForTest(data))
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
			t.Fatalf("openRoot: %v", err)
		}
		if err == nil {
			again, err := openRoot(sealRoot(root))
			if err != nil {
				t.Fatalf("what was opened can't be sealed and opened: %v", err)
			}
			if diff := netmaptest.Diff(again, root); diff != "" {
				t.Fatal(diff)
			}
		}
		checkReplaced(t, s)
	})
}

// FuzzLoad uses its input as the columns of a snapshot, in the form that addSnapshot reads.
func FuzzLoad(f *testing.F) {
	real, hostile := SmallForTest(1), netmaptest.Hostile(1)
	for _, nm := range []*netmap.NetworkMap{real, {SelfNode: real.SelfNode}, {SelfNode: hostile.SelfNode, Peers: hostile.Peers[:2]}} {
		f.Add(snapshotInput(nm))
	}
	least := appendRecord([]byte{0x11}, byte(format.KindNode), []byte{0xa1, 0x04, 0x01})            // {User: 1}
	f.Add(appendRecord(least, byte(format.KindUsers), []byte{0x81, 0xa1, 0x01, 0x05}))              // [{ID: 5}], no profile
	f.Add(appendRecord(least, byte(format.KindPeers)|1<<4, []byte{0x81, 0xa1, 0x01, 0x05}))         // a part too high
	f.Add(appendRecord(least, byte(format.KindFilter), []byte{0x81, 0xa1, 0x01, 0x81, 0x61, 0x2a})) // from *
	f.Fuzz(func(t *testing.T, data []byte) {
		s := memstore.New()
		addSnapshot(t, s, data)
		nm := checkHostileLoad(t, s)
		if nm == nil {
			checkReplaced(t, s)
			return
		}

		// An update works on whatever was loaded.
		added := (&tailcfg.Node{ID: 1 << 50, StableID: "added"}).View()
		c := NewCache(s)
		if err := c.UpdatePeers(t.Context(), []tailcfg.NodeView{added}, nil); err != nil {
			t.Fatalf("UpdatePeers: %v", err)
		}
		updated, err := NewCache(s).Load(t.Context())
		if err != nil {
			t.Fatalf("Load after UpdatePeers: %v", err)
		}
		if !slices.ContainsFunc(updated.Peers, func(p tailcfg.NodeView) bool { return p.ID() == added.ID() }) {
			t.Fatal("the added peer is not there")
		}
		checkStorable(t, nm)
	})
}

// FuzzUpstream uses its input as the values of a store in upstream's layout.
func FuzzUpstream(f *testing.F) {
	real := SmallForTest(1)
	for _, nm := range []*netmap.NetworkMap{real, {SelfNode: real.SelfNode}, netmaptest.HostileJSON(1)} {
		s := memstore.New()
		if err := upstream.NewCache(shortKeys{s}).Store(f.Context(), nm); err != nil {
			f.Fatal(err)
		}
		var data []byte
		for i, key := range upstreamFuzzKeys {
			if value, err := s.Load(f.Context(), key); err == nil {
				data = appendRecord(data, byte(i), value)
			}
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := memstore.New()
		mustPut(t, s, rootKey, []byte(`{"Node":{"User":1}}`))
		for _, r := range records(data) {
			mustPut(t, s, upstreamFuzzKeys[int(r.choice)%len(upstreamFuzzKeys)], r.value)
		}
		nm := checkHostileLoad(t, s)
		if nm == nil {
			checkReplaced(t, s)
			return
		}
		// Migrated, it is the same.
		if err := NewCache(s).UpdatePeers(t.Context(), nil, nil); err != nil {
			t.Fatalf("UpdatePeers: %v", err)
		}
		migrated, err := NewCache(s).Load(t.Context())
		if err != nil {
			t.Fatalf("Load after migration: %v", err)
		}
		if diff := netmaptest.Diff(migrated, nm, displayNames); diff != "" {
			t.Fatal(diff)
		}
	})
}

// upstreamFuzzKeys are the keys that FuzzUpstream fills.
var upstreamFuzzKeys = []string{
	rootKey, upstreamMisc, upstreamDNS, upstreamDERPMap, upstreamFilter, upstreamSSH,
	"peer-0", "peer-1", "peer-2", "user-0", "user-1",
}

// shortKeys stores upstream's peers and users under few keys, so that most
// are lost.
type shortKeys struct{ anyStore }

type anyStore = Store

func (s shortKeys) Store(ctx context.Context, key string, value []byte) error {
	if prefix, _, ok := strings.Cut(key, "-"); ok {
		key = fmt.Sprintf("%s-%d", prefix, len(key)%3)
	}
	return s.anyStore.Store(ctx, key, value)
}

// displayNames are the fields that a netmap loses when it is stored if its display names
// contradict each other.
var displayNames = netmaptest.Ignore("tailcfg.Node.computedHostIfDifferent")

// SmallForTest returns a small netmap with all kinds of columns. Searches get further
// with little input.
func SmallForTest(seed uint64) *netmap.NetworkMap {
	nm := netmaptest.Realistic(3, seed)
	for _, id := range nm.DERPMap.RegionIDs()[2:] {
		delete(nm.DERPMap.Regions, id)
	}
	return nm
}

// checkHostileLoad loads what s holds. It returns nil if Load refuses that.
func checkHostileLoad(t *testing.T, s Store) *netmap.NetworkMap {
	t.Helper()
	nm, err := NewCache(s).Load(t.Context())
	if err != nil {
		if nm != nil || !errors.Is(err, ErrCacheNotAvailable) {
			t.Fatalf("Load: got %v, %v; want %v", nm, err, ErrCacheNotAvailable)
		}
		return nil
	}
	if err := CheckViewsForTest(nm); err != nil {
		t.Fatal(err)
	}
	return nm
}

// checkReplaced checks that a netmap can be stored in s, whatever s holds.
func checkReplaced(t *testing.T, s Store) {
	t.Helper()
	good := &netmap.NetworkMap{SelfNode: (&tailcfg.Node{ID: 9, User: 1}).View()}
	if err := NewCache(s).Store(t.Context(), good); err != nil {
		t.Fatalf("Store: %v", err)
	}
	nm, err := NewCache(s).Load(t.Context())
	if err != nil {
		t.Fatalf("Load after Store: %v", err)
	}
	if nm.SelfNode.ID() != 9 || len(nm.Peers) != 0 {
		t.Fatal("Load after Store gives another netmap")
	}
}

// checkStorable checks that nm, which was loaded, is the same when it is stored
// and loaded again.
func checkStorable(t *testing.T, nm *netmap.NetworkMap) {
	t.Helper()
	if nm.User() == 0 {
		return
	}
	live := *nm
	live.Cached = false
	s := memstore.New()
	if err := NewCache(s).Store(t.Context(), &live); err != nil {
		t.Fatalf("Store of what was loaded: %v", err)
	}
	again, err := NewCache(s).Load(t.Context())
	if err != nil {
		t.Fatalf("Load of what was loaded and stored: %v", err)
	}
	if diff := netmaptest.Diff(again, nm, displayNames); diff != "" {
		t.Fatal(diff)
	}
}

func mustPut(t testing.TB, s Store, key string, value []byte) {
	t.Helper()
	if err := s.Store(t.Context(), key, value); err != nil {
		t.Fatal(err)
	}
}

// A record is a value in the input of a fuzzer. A byte that says what it is
// and two bytes with its length come before it.
type record struct {
	choice byte
	value  []byte
}

func appendRecord(dst []byte, choice byte, value []byte) []byte {
	dst = binary.BigEndian.AppendUint16(append(dst, choice), uint16(len(value)))
	return append(dst, value...)
}

// records returns the records of data. The last one may be cut short.
func records(data []byte) []record {
	var all []record
	for len(data) >= 3 {
		n := min(int(binary.BigEndian.Uint16(data[1:])), len(data)-3)
		all = append(all, record{data[0], data[3 : 3+n]})
		data = data[3+n:]
	}
	return all
}

// snapshotInput returns the input that stands for the snapshot of nm.
func snapshotInput(nm *netmap.NetworkMap) []byte {
	s := (*snapshot)(nil).with(nm)
	data := []byte{partsByte(len(s.peers.parts)) | partsByte(len(s.users.parts))<<4}
	for _, c := range s.columns() {
		data = appendRecord(data, byte(c.Kind)|byte(c.Part)<<4, c.data)
	}
	return data
}

// partsByte and partsOf put a number of parts, up to 16, into 4 bits.
func partsByte(n int) byte {
	b := byte(0)
	for n >= 1<<b {
		b++
	}
	return b
}

func partsOf(b byte) uint64 { return 1 << min(b, 5) >> 1 }

// addSnapshot stores in s the snapshot that data stands for: a byte for the
// numbers of parts, then records, each with a kind and the index of a part.
func addSnapshot(t testing.TB, s Store, data []byte) {
	t.Helper()
	if len(data) == 0 {
		return
	}
	root := &format.Root{Major: format.Major, PeerParts: partsOf(data[0] & 0xf), UserParts: partsOf(data[0] >> 4)}
	byPlace := make(map[byte]format.Column)
	for _, r := range records(data[1:]) {
		col := format.Column{Kind: format.Kind(r.choice & 0xf), Part: uint64(r.choice >> 4)}
		if col.Kind == 0 || int(col.Kind) >= len(kindNames) {
			continue
		}
		col.Digest, col.Size, col.Count = digestOf(r.value), uint64(len(r.value)), countOf(col.Kind, r.value)
		byPlace[r.choice] = col
		mustPut(t, s, columnKey(col), r.value)
	}
	root.Columns = slices.SortedFunc(maps.Values(byPlace), func(a, b format.Column) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Part, b.Part))
	})
	mustPut(t, s, rootKey, sealRoot(root))
}

// countOf returns the number of values in a column, for its entry in the root.
func countOf(kind format.Kind, data []byte) uint64 {
	switch kind {
	case format.KindFilter:
		rules, _ := codec.DecodeFilter(data)
		return uint64(len(rules))
	case format.KindPeers:
		peers, _ := codec.DecodePeers(data)
		return uint64(len(peers))
	case format.KindUsers:
		users, _ := codec.DecodeUsers(data)
		return uint64(len(users))
	}
	return 1
}
