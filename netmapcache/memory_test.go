package netmapcache_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/tailcfg"
)

// The bytes that Load may allocate in all, whatever the store holds: a constant, and an amount for each
// stored byte. They follow from the bounds of package codec, and from what
// reading, checking and sorting take besides. If there is a packet filter, tailscale.com's code makes
// matches of its rules, which may take the amounts for filters in addition.
const (
	loadAlways    = 96 << 20
	loadPerByte   = 128
	filterAlways  = 96 << 20
	filterPerByte = 8 << 10
)

// A hostileColumn is a column with a correct entry in the root, so that it is decoded.
type hostileColumn struct {
	kind  format.Kind
	part  uint64
	count uint64
	data  string
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fillHostile stores columns and their root in s, and returns the value of the root.
func fillHostile(t *testing.T, s netmapcache.Store, root format.Root, columns []hostileColumn) []byte {
	t.Helper()
	root.Major = format.Major
	for _, c := range columns {
		col := format.Column{Kind: c.kind, Part: c.part, Size: uint64(len(c.data)), Count: c.count}
		must(t, s.Store(t.Context(), netmapcache.PlaceForTest(&col, []byte(c.data)), []byte(c.data)))
		root.Columns = append(root.Columns, col)
	}
	value := netmapcache.SealForTest(codec.AppendRoot(nil, &root))
	must(t, s.Store(t.Context(), "self", value))
	return value
}

// A hostileSnapshot has small values that stand for large ones.
type hostileSnapshot struct {
	name    string
	root    format.Root
	columns []hostileColumn // besides the self node
	filter  bool            // whether there is a packet filter to parse
	want    error
}

func hostileSnapshots() []hostileSnapshot {
	const n = 20_000
	list := func(n int, element string) string {
		head := binary.BigEndian.AppendUint32([]byte{0x9a}, uint32(n))
		return string(head) + strings.Repeat(element, n)
	}
	// parts returns columns of n equal peers each, which belong to their parts by their stable ID (field 2).
	parts := func(columns, n int, element string) (parts []hostileColumn) {
		for i := range columns {
			id := 0
			for netmapcache.PeerPart(fmt.Sprintf("%03x", id), columns) != i {
				id++
			}
			element := string([]byte{element[0] + 1}) + fmt.Sprintf("\x02\x63%03x", id) + element[1:]
			parts = append(parts, hostileColumn{format.KindPeers, uint64(i), uint64(n), list(n, element)})
		}
		return parts
	}
	filter := func(rule tailcfg.FilterRule) hostileColumn {
		return hostileColumn{format.KindFilter, 0, 1, string(codec.AppendFilter(nil, []tailcfg.FilterRule{rule}))}
	}
	grant := func(dsts, caps int) tailcfg.FilterRule {
		g := tailcfg.CapGrant{Dsts: make([]netip.Prefix, dsts)}
		g.Caps = slices.Grow(g.Caps, caps)[:caps]
		return tailcfg.FilterRule{CapGrant: []tailcfg.CapGrant{g}}
	}
	repeat := func(n int, s string) []string { return strings.Split(strings.Repeat(s+" ", n-1)+s, " ") }
	return []hostileSnapshot{
		{"parts without peers", format.Root{PeerParts: 1 << 20, UserParts: 1 << 20}, nil, false, netmapcache.ErrCorrupt},
		{"parts with peers that are missing", format.Root{PeerParts: 1 << 20}, []hostileColumn{
			{format.KindPeers, 0, 1 << 20, ""}}, false, netmapcache.ErrCorrupt},
		{"empty nodes", format.Root{PeerParts: 1}, []hostileColumn{{format.KindPeers, 0, n, list(n, "\xa0")}}, false, nil},
		{"empty nodes in many parts", format.Root{PeerParts: 256}, parts(256, 130, "\xa0"), false, nil},
		{"more empty nodes in many parts", format.Root{PeerParts: 256}, parts(256, 230, "\xa0"), false, netmapcache.ErrCorrupt},
		{"fewer in the root than there are", format.Root{PeerParts: 1}, []hostileColumn{{format.KindPeers, 0, 1, list(n, "\xa0")}}, false, netmapcache.ErrCorrupt},
		{"nodes with all there is one of", format.Root{PeerParts: 256}, parts(256, 150, "\xa2\x0d\xa3\x11\xa1\x0c\xa1\x60\xf9\x00\x00\x17\xa0\x18\x2a\xa0\x14\xa1\x60\xf6"), false, nil},
		{"empty users", format.Root{UserParts: 1}, []hostileColumn{{format.KindUsers, 0, n, list(n, "\xa0")}}, false, netmapcache.ErrCorrupt},
		{"empty profiles", format.Root{UserParts: 1}, []hostileColumn{{format.KindUsers, 0, n, list(n, "\xa1\x02\xa0")}}, false, nil},
		{"empty rules", format.Root{}, []hostileColumn{{format.KindFilter, 0, n, list(n, "\xa0")}}, true, nil},
		{"rules for all", format.Root{}, []hostileColumn{filter(tailcfg.FilterRule{SrcIPs: repeat(n, "*")})}, true, nil},
		{"ranges", format.Root{}, []hostileColumn{filter(tailcfg.FilterRule{SrcIPs: repeat(n, "::1-ff::fffe")})}, true, netmapcache.ErrCorrupt},
		{"few ranges", format.Root{}, []hostileColumn{filter(tailcfg.FilterRule{SrcIPs: repeat(1000, "::1-ff::fffe")})}, true, nil},
		{"grants of all to all", format.Root{}, []hostileColumn{filter(grant(n, n))}, true, netmapcache.ErrCorrupt},
		{"grants of much to many", format.Root{}, []hostileColumn{filter(grant(20_000, 35))}, true, nil},
	}
}

// hostileNode is the self node of all hostile snapshots.
var hostileNode = hostileColumn{format.KindNode, 0, 1, "\xa1\x04\x01"} // {User: 1}

// TestLoadMemory loads small values that stand for large ones.
func TestLoadMemory(t *testing.T) {
	for _, tt := range hostileSnapshots() {
		t.Run(tt.name, func(t *testing.T) {
			s := memstore.New()
			fillHostile(t, s, tt.root, append([]hostileColumn{hostileNode}, tt.columns...))
			limit := loadAlways + loadPerByte*storedBytes(t, s)
			if tt.filter {
				limit += filterAlways + filterPerByte*storedBytes(t, s)
			}
			checkAllocated(t, s, limit, tt.want)
		})
	}
}

// TestLoadMemoryOfUpstream does so with upstream's layout. This package can't bound what package json
// allocates. The values are the worst that were found, and the
// bound is wide.
func TestLoadMemoryOfUpstream(t *testing.T) {
	const n, perByte = 20_000, 512
	list := func(element string) string { return "[" + strings.Repeat(element+",", n-1) + element + "]" }
	for name, values := range map[string][2]string{
		"empty rules":      {"filter", `{"Rules":` + list("{}") + `}`},
		"empty SSH rules":  {"ssh", `{"SSHPolicy":{"rules":` + list("{}") + `}}`},
		"empty addresses":  {"peer-1", `{"Node":{"Addresses":` + list(`""`) + `}}`},
		"empty services":   {"peer-1", `{"Node":{"Hostinfo":{"Services":` + list("{}") + `}}}`},
		"empty DNS values": {"dns", `{"DNS":{"ExtraRecords":` + list("{}") + `}}`},
		"deep":             {"dns", `{"DNS":{"Later":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := memstore.New()
			must(t, s.Store(t.Context(), "self", []byte(`{"Node":{"User":1}}`)))
			must(t, s.Store(t.Context(), values[0], []byte(values[1])))
			var want error
			if name == "deep" {
				want = netmapcache.ErrCorrupt
			}
			checkAllocated(t, s, perByte*storedBytes(t, s)+288<<10, want)
		})
	}
}

func storedBytes(t *testing.T, s netmapcache.Store) int {
	t.Helper()
	size := 0
	for _, value := range contents(t, s) {
		size += len(value)
	}
	return size
}

// checkAllocated checks that Load allocates at most limit bytes in all, including what is
// garbage at once, and reports want.
func checkAllocated(t *testing.T, s netmapcache.Store, limit int, want error) {
	t.Helper()
	c := netmapcache.NewCache(s)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.Load(t.Context())
	runtime.ReadMemStats(&after)
	if !errors.Is(err, want) {
		t.Errorf("Load: got %v, want %v", err, want)
	}
	allocated := int(after.TotalAlloc - before.TotalAlloc)
	if allocated > limit {
		t.Errorf("%d bytes allocated for %d, want at most %d", allocated, storedBytes(t, s), limit)
	}
	t.Logf("%d bytes allocated for %d: %v", allocated, storedBytes(t, s), err)
}
