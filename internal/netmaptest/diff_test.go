package netmaptest

import (
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/wgengine/filter/filtertype"
)

func TestDiffValues(t *testing.T) {
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	cest := time.FixedZone("CEST", 7200)
	zero := time.Time{}
	addr := netip.MustParseAddr
	nan2 := math.Float64frombits(0x7ff8_0000_0000_0002)
	yes, yesToo := true, true
	tests := []struct {
		name      string
		got, want any
		same      bool
	}{
		{"same pointer", &noon, &noon, true},
		{"times: instant", noon, noon.Add(1), false},
		{"times: offset", noon, noon.In(cest), false},
		{"times: name of zone", noon.In(time.FixedZone("X", 7200)), noon.In(cest), true},
		{"times: UTC and +00:00", noon, noon.In(time.FixedZone("", 0)), true},
		{"times: zero at an offset", zero, zero.In(cest), false},
		{"times: pointer to zero, nil", &zero, (*time.Time)(nil), false},
		{"times: pointers", &zero, &noon, false},
		{"pointers to equal", &yes, &yesToo, true},
		{"strings: not UTF-8", "\xff", "\xfe", false},
		{"strings: replaced", "\xff", "\ufffd", false},
		{"slices: nil, empty", []string(nil), []string{}, false},
		{"slices: longer", []string{"a"}, []string{"a", "b"}, false},
		{"slices: order", []string{"a", "b"}, []string{"b", "a"}, false},
		{"bytes: nil, empty", []byte(nil), []byte{}, false},
		{"bytes: the last of many", append(make([]byte, 999), 1), append(make([]byte, 999), 2), false},
		{"arrays of bytes", [32]byte{31: 1}, [32]byte{31: 2}, false},
		{"maps: nil, empty", map[string]int(nil), map[string]int{}, false},
		{"maps: key missing", map[string]int{"a": 0}, map[string]int{"b": 0}, false},
		{"maps: key extra", map[string]int{"a": 0, "b": 0}, map[string]int{"b": 0}, false},
		{"maps: value", map[string][]int{"a": nil}, map[string][]int{"a": {}}, false},
		{"floats: NaN", math.NaN(), math.NaN(), true},
		{"floats: another NaN", math.NaN(), nan2, false},
		{"floats: -0", 0.0, math.Copysign(0, -1), false},
		{"addresses: 4-in-6", addr("1.2.3.4"), addr("::ffff:1.2.3.4"), false},
		{"addresses: zone", addr("fe80::1%a"), addr("fe80::1%b"), false},
		{"addresses: same zone", addr("fe80::1%a"), addr("fe80::1%a"), true},
		{"prefixes: both invalid", netip.Prefix{}, netip.PrefixFrom(addr("1.2.3.4"), -1), false},
		{"address and port", netip.AddrPortFrom(addr("::"), 1), netip.AddrPortFrom(addr("::"), 2), false},
		{"views: nil, zero", tailcfg.NodeView{}, new(tailcfg.Node).View(), false},
		{"views: both nil", tailcfg.NodeView{}, tailcfg.NodeView{}, true},
		{"views: slices", views.SliceOf([]int(nil)), views.SliceOf([]int{}), false},
		{"views: values", (&tailcfg.Node{Cap: 1}).View(), (&tailcfg.Node{Cap: 1}).View(), true},
		{"types", 1, "1", false},
		{"types: named", tailcfg.UserID(1), tailcfg.NodeID(1), false},
		{"untyped nil", nil, nil, true},
		{"untyped nil, nil pointer", nil, (*int)(nil), false},
		{"pointers in slices", []*int{nil}, []*int{new(int)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, d := range []string{Diff(tt.got, tt.want), Diff(tt.want, tt.got)} {
				if (d == "") != tt.same {
					t.Errorf("Diff = %q, want same = %v", d, tt.same)
				}
			}
		})
	}
}

func TestDiffNamesThePath(t *testing.T) {
	want := Realistic(5, 1)
	got := FreshPointers(want)
	n := nodeOf(got.Peers[3])
	hi := n.Hostinfo.AsStruct()
	hi.OS = "plan9"
	n.Hostinfo = hi.View()
	got.Peers[3] = n.View()
	delete(got.DERPMap.Regions, 7)
	d := Diff(got, want)
	for _, path := range []string{`.Peers[3].Hostinfo.OS: got "plan9"`, `.DERPMap.Regions[7]: missing`} {
		if !strings.Contains(d, path) {
			t.Errorf("Diff = %q, want %q in it", d, path)
		}
	}
	if n := strings.Count(d, "\n"); n != 2 {
		t.Errorf("Diff = %q, want 2 lines, got %d", d, n)
	}
}

func TestDiffIsBrief(t *testing.T) {
	d := Diff(make([]int, 100), append(make([]int, 50), slices.Repeat([]int{7}, 50)...))
	if n := strings.Count(d, "\n"); n != maxDiffs+1 || !strings.HasSuffix(d, "and 40 more differences\n") {
		t.Errorf("Diff = %q", d)
	}
	if d := Diff(strings.Repeat("x", 1e6), ""); len(d) > 1000 {
		t.Errorf("Diff of a long string has %d bytes", len(d))
	}
}

func TestDiffOptions(t *testing.T) {
	got := &tailcfg.Node{Name: "a", Tags: []string{}, CapMap: tailcfg.NodeCapMap{"c": nil}}
	want := &tailcfg.Node{Name: "b", CapMap: tailcfg.NodeCapMap{"c": {}}}
	tests := []struct {
		opts []DiffOption
		want []string // paths of the differences
	}{
		{nil, []string{".Name", ".Tags", `.CapMap["c"]`}},
		{[]DiffOption{Ignore("tailcfg.Node.Name")}, []string{".Tags", `.CapMap["c"]`}},
		{[]DiffOption{Ignore("tailcfg.Node.Name", "tailcfg.Node.CapMap")}, []string{".Tags"}},
		{[]DiffOption{NilIsEmpty()}, []string{".Name"}},
		{[]DiffOption{NilIsEmpty("tailcfg.Node.CapMap")}, []string{".Name", ".Tags"}},
		{[]DiffOption{NilIsEmpty("tailcfg.Node.Tags")}, []string{".Name", `.CapMap["c"]`}},
		{[]DiffOption{NilIsEmpty(), Ignore("tailcfg.Node.Name")}, nil},
	}
	for i, tt := range tests {
		var paths []string
		for line := range strings.Lines(Diff(got, want, tt.opts...)) {
			path, _, _ := strings.Cut(line, ": ")
			paths = append(paths, path)
		}
		if fmt.Sprint(paths) != fmt.Sprint(tt.want) {
			t.Errorf("%d: differences at %v, want %v", i, paths, tt.want)
		}
	}
}

func TestDiffMatches(t *testing.T) {
	p := netip.MustParsePrefix("10.0.0.0/8")
	in10 := func(a netip.Addr) bool { return p.Contains(a) }
	match := func(contains func(netip.Addr) bool, caps ...tailcfg.PeerCapability) filtertype.Match {
		m := filtertype.Match{Srcs: []netip.Prefix{p}, SrcsContains: contains}
		for _, c := range caps {
			m.Caps = append(m.Caps, filtertype.CapMatch{Dst: p, Cap: c})
		}
		return m
	}
	base := match(in10, "a", "b")
	tests := []struct {
		name string
		got  filtertype.Match
		same bool
	}{
		{"order of caps", match(func(a netip.Addr) bool { return p.Contains(a) }, "b", "a"), true},
		{"caps", match(in10, "a", "a"), false},
		{"no function", match(nil, "a", "b"), false},
		{"contains all", match(func(netip.Addr) bool { return true }, "a", "b"), false},
		{"contains none", match(func(netip.Addr) bool { return false }, "a", "b"), false},
	}
	for _, tt := range tests {
		if d := Diff(tt.got, base); (d == "") != tt.same {
			t.Errorf("%s: Diff = %q, want same = %v", tt.name, d, tt.same)
		}
	}
}

// mutations are ways to change a value of a kind, each into another value.
func mutations(v reflect.Value) []func() {
	t := v.Type()
	set := func(x any) func() { return func() { v.Set(reflect.ValueOf(x)) } }
	switch x := v.Interface().(type) {
	case time.Time:
		_, offset := x.Zone()
		return []func(){set(x.Add(1)), set(x.In(time.FixedZone("", offset+60)))}
	case netip.Addr:
		if !x.IsValid() {
			return []func(){set(netip.IPv4Unspecified())}
		}
		return []func(){set(netip.Addr{}), set(netip.AddrFrom16([16]byte{15: 99}).WithZone("changed"))}
	case netip.AddrPort:
		return []func(){set(netip.AddrPortFrom(x.Addr(), x.Port()+1))}
	case netip.Prefix:
		if !x.IsValid() {
			return []func(){set(netip.MustParsePrefix("1.2.3.4/5"))}
		}
		return []func(){set(netip.Prefix{}), set(netip.PrefixFrom(x.Addr(), (x.Bits()+1)%(x.Addr().BitLen()+1)))}
	}
	switch t.Kind() {
	case reflect.Bool:
		return []func(){func() { v.SetBool(!v.Bool()) }}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return []func(){func() { v.SetInt(^v.Int()) }}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return []func(){func() { v.SetUint(v.Uint() ^ 1) }}
	case reflect.Float64:
		return []func(){func() { v.SetFloat(math.Float64frombits(math.Float64bits(v.Float()) ^ 1)) }}
	case reflect.String:
		return []func(){func() { v.SetString(v.String() + "x") }}
	case reflect.Func:
		return []func(){func() { v.SetZero() }}
	case reflect.Pointer:
		if v.IsNil() {
			return []func(){func() { v.Set(reflect.New(t.Elem())) }}
		}
		return []func(){func() { v.SetZero() }}
	case reflect.Slice:
		if v.IsNil() {
			return []func(){func() { v.Set(reflect.MakeSlice(t, 0, 0)) }, func() { v.Set(reflect.MakeSlice(t, 1, 1)) }}
		}
		grown := reflect.Append(v.Slice3(0, v.Len(), v.Len()), reflect.Zero(t.Elem()))
		return []func(){func() { v.SetZero() }, func() { v.Set(grown) }}
	case reflect.Map:
		if v.IsNil() {
			return []func(){func() { v.Set(reflect.MakeMap(t)) }}
		}
		return []func(){func() { v.SetZero() }}
	}
	return nil
}

// mutateAll changes everything in v in turn, each alone and back, and calls check
// after every change with the names of the fields that lead to it.
func mutateAll(v reflect.Value, path []string, check func(path []string)) {
	for _, mutate := range mutations(v) {
		before := addressable(v)
		mutate()
		check(path)
		v.Set(before)
	}
	t := v.Type()
	if isLeaf(t) {
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			mutateAll(v.Elem(), path, check)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if sf := t.Field(i); !isEmptyArray(sf.Type) {
				mutateAll(field(v, i), append(path, t.String()+"."+sf.Name), check)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			mutateAll(v.Index(i), path, check)
		}
	case reflect.Map:
		for _, k := range sortedKeys(v) {
			before := v.MapIndex(k)
			elem := addressable(before)
			mutateAll(elem, path, func(path []string) {
				v.SetMapIndex(k, elem)
				check(path)
				v.SetMapIndex(k, before)
			})
			v.SetMapIndex(k, reflect.Value{})
			check(path)
			v.SetMapIndex(k, before)
		}
	}
}

func TestDiffSeesEveryChange(t *testing.T) {
	seen := map[string]bool{}
	changes := 0
	try := func(want any) {
		got := addressable(reflect.ValueOf(deepCopy(want)))
		mutateAll(got, nil, func(path []string) {
			for _, name := range path {
				seen[name] = true
			}
			changes++
			if Diff(got.Interface(), want) == "" {
				t.Errorf("Diff doesn't see a change at %v", path)
			}
		})
		if d := Diff(got.Interface(), want); d != "" {
			t.Fatalf("the changes were not undone: %s", d)
		}
	}
	try(new(netmap.NetworkMap))
	for _, nm := range []*netmap.NetworkMap{Realistic(25, 1), Hostile(1), Hostile(2)} {
		for _, p := range nm.Peers {
			try(p)
		}
		for _, r := range nm.PacketFilterRules.All() {
			try(r)
		}
		for _, m := range nm.PacketFilter {
			try(m)
		}
		rest := *nm
		rest.Peers, rest.PacketFilter, rest.PacketFilterRules = nil, nil, views.Slice[tailcfg.FilterRule]{}
		for _, v := range reflect.ValueOf(rest).Fields() {
			try(v.Interface())
		}
	}
	checkAllSet(t, seen, nil)
	t.Logf("%d changes in %d fields", changes, len(seen))
}
