package netmaptest

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"tailscale.com/wgengine/filter/filtertype"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	addrType     = reflect.TypeFor[netip.Addr]()
	addrPortType = reflect.TypeFor[netip.AddrPort]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
	matchType    = reflect.TypeFor[filtertype.Match]()
)

const (
	maxDiffs = 10  // differences that Diff spells out
	maxShown = 200 // bytes of a value in its output
)

// A DiffOption makes [Diff] accept a difference.
type DiffOption func(*differ)

// Ignore makes [Diff] skip the named fields, wherever they occur. A field is
// named by package, type and field, as in "tailcfg.Node.LastSeen".
func Ignore(fields ...string) DiffOption {
	return func(d *differ) {
		for _, f := range fields {
			d.ignored[f] = true
		}
	}
}

// NilIsEmpty makes [Diff] accept a nil slice or map for an empty one and the
// reverse, in the named fields and what they contain, or everywhere if no field
// is named. Fields are named as for [Ignore].
func NilIsEmpty(fields ...string) DiffOption {
	return func(d *differ) {
		if len(fields) == 0 {
			d.nilIsEmpty++
		}
		for _, f := range fields {
			d.nilIsEmptyIn[f] = true
		}
	}
}

// Diff compares two values of the same type, for example a *netmap.NetworkMap or any
// type of tailcfg, and returns "" if they are the same. Otherwise it returns a
// line for each of the first differences, with the path that leads to it.
//
// Two values are the same under these rules. Pointers and views are both nil or point to the same values.
// Unexported fields count. Slices and maps are both nil or have the same
// elements. Floats have the same bits, so NaN is NaN and 0 isn't -0. Times
// are the same instant at the same offset from UTC; the name of the zone
// and the monotonic clock don't count. netip values are ==, so 4-in-6
// isn't 4, and zones count.
//
// Two things in a filtertype.Match don't count. One is the order of Caps, since
// filter.MatchesFromFilterRules takes it from a map. The other is the identity of
// SrcsContains. Diff compares these functions by asking both about the addresses in and
// around Srcs.
func Diff(got, want any, opts ...DiffOption) string {
	d := &differ{ignored: map[string]bool{}, nilIsEmptyIn: map[string]bool{}}
	for _, o := range opts {
		o(d)
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if !g.IsValid() || !w.IsValid() || g.Type() != w.Type() {
		if got == nil && want == nil {
			return ""
		}
		return fmt.Sprintf("got a %T, want a %T", got, want)
	}
	d.compare("", addressable(g), addressable(w))
	if d.count > maxDiffs {
		fmt.Fprintf(&d.out, "and %d more differences\n", d.count-maxDiffs)
	}
	return d.out.String()
}

type differ struct {
	ignored      map[string]bool
	nilIsEmptyIn map[string]bool
	nilIsEmpty   int // greater than zero while nil is accepted for empty

	out   strings.Builder
	count int
}

func (d *differ) report(path, format string, args ...any) {
	d.count++
	if d.count > maxDiffs {
		return
	}
	if path == "" {
		path = "value"
	}
	fmt.Fprintf(&d.out, "%s: %s\n", path, fmt.Sprintf(format, args...))
}

// unequal reports that g and w, found at path, differ.
func (d *differ) unequal(path string, g, w reflect.Value) {
	d.report(path, "got %s, want %s", show(g), show(w))
}

// compare compares g and w, which are addressable and of the same type.
func (d *differ) compare(path string, g, w reflect.Value) {
	t := g.Type()
	if t == timeType {
		d.compareTimes(path, g.Interface().(time.Time), w.Interface().(time.Time))
		return
	}
	if isLeaf(t) {
		if g.Interface() != w.Interface() {
			d.unequal(path, g, w)
		}
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		switch {
		case g.IsNil() != w.IsNil():
			d.unequal(path, g, w)
		case g.Pointer() != w.Pointer():
			d.compare(path, g.Elem(), w.Elem())
		}
	case reflect.Struct:
		d.compareStructs(path, g, w)
	case reflect.Slice:
		if d.compareNil(path, g, w) {
			d.compareLists(path, g, w)
		}
	case reflect.Array:
		d.compareLists(path, g, w)
	case reflect.Map:
		if d.compareNil(path, g, w) {
			d.compareMaps(path, g, w)
		}
	case reflect.Float32, reflect.Float64:
		if math.Float64bits(g.Float()) != math.Float64bits(w.Float()) {
			d.unequal(path, g, w)
		}
	case reflect.Func:
		if g.IsNil() != w.IsNil() {
			d.report(path, "got a nil func: %v, want nil: %v", g.IsNil(), w.IsNil())
		}
	default:
		if !g.Comparable() {
			panic(fmt.Sprintf("netmaptest.Diff: can't compare a %v at %s", t, path))
		}
		if !g.Equal(w) {
			d.unequal(path, g, w)
		}
	}
}

// compareNil compares whether two slices or maps are nil, and reports whether to
// compare their elements.
func (d *differ) compareNil(path string, g, w reflect.Value) bool {
	if g.IsNil() != w.IsNil() && (d.nilIsEmpty == 0 || g.Len() != w.Len()) {
		d.unequal(path, g, w)
		return false
	}
	return true
}

func (d *differ) compareTimes(path string, g, w time.Time) {
	_, gotOffset := g.Zone()
	_, wantOffset := w.Zone()
	if !g.Equal(w) || gotOffset != wantOffset {
		d.report(path, "got %s, want %s", showTime(g), showTime(w))
	}
}

func (d *differ) compareStructs(path string, g, w reflect.Value) {
	t := g.Type()
	if t == matchType {
		g, w = normalMatch(g), normalMatch(w)
		d.compareSources(path, g.Interface().(filtertype.Match), w.Interface().(filtertype.Match))
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name := t.String() + "." + f.Name
		if isEmptyArray(f.Type) || d.ignored[name] {
			continue
		}
		fieldPath := path
		if f.Name != viewField {
			fieldPath += "." + f.Name
		}
		if d.nilIsEmptyIn[name] {
			d.nilIsEmpty++
		}
		d.compare(fieldPath, field(g, i), field(w, i))
		if d.nilIsEmptyIn[name] {
			d.nilIsEmpty--
		}
	}
}

func (d *differ) compareLists(path string, g, w reflect.Value) {
	if g.Type().Elem().Kind() == reflect.Uint8 {
		if !bytes.Equal(g.Bytes(), w.Bytes()) {
			d.unequal(path, g, w)
		}
		return
	}
	sameLen := g.Len() == w.Len()
	if !sameLen {
		d.report(path, "got %d elements, want %d", g.Len(), w.Len())
	}
	before := d.count
	for i := range min(g.Len(), w.Len()) {
		d.compare(fmt.Sprintf("%s[%d]", path, i), g.Index(i), w.Index(i))
		if !sameLen && d.count > before {
			return // if one is missing, the rest has shifted
		}
	}
}

func (d *differ) compareMaps(path string, g, w reflect.Value) {
	for _, k := range sortedKeys(w) {
		keyPath := fmt.Sprintf("%s[%s]", path, show(k))
		if gv := g.MapIndex(k); gv.IsValid() {
			d.compare(keyPath, addressable(gv), addressable(w.MapIndex(k)))
		} else {
			d.report(keyPath, "missing, want %s", show(w.MapIndex(k)))
		}
	}
	for _, k := range sortedKeys(g) {
		if !w.MapIndex(k).IsValid() {
			d.report(fmt.Sprintf("%s[%s]", path, show(k)), "got %s, want none", show(g.MapIndex(k)))
		}
	}
}

func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(show(a), show(b)) })
	return keys
}

// normalMatch returns a copy of a filtertype.Match with its Caps in order.
func normalMatch(v reflect.Value) reflect.Value {
	m := v.Interface().(filtertype.Match)
	m.Caps = slices.Clone(m.Caps)
	slices.SortStableFunc(m.Caps, func(a, b filtertype.CapMatch) int {
		return strings.Compare(fmt.Sprintf("%v %q %q", a.Dst, a.Cap, a.Values), fmt.Sprintf("%v %q %q", b.Dst, b.Cap, b.Values))
	})
	return addressable(reflect.ValueOf(m))
}

// compareSources compares the answers of two SrcsContains.
func (d *differ) compareSources(path string, g, w filtertype.Match) {
	if d.ignored["filtertype.Match.SrcsContains"] || g.SrcsContains == nil || w.SrcsContains == nil {
		return
	}
	for _, p := range slices.Concat(g.Srcs, w.Srcs, outsideSources) {
		for _, a := range []netip.Addr{p.Addr(), p.Addr().Prev(), p.Addr().Next()} {
			if got, want := g.SrcsContains(a), w.SrcsContains(a); got != want {
				d.report(path+".SrcsContains", "got %v for %v, want %v", got, a, want)
				return
			}
		}
	}
}

// outsideSources are addresses that few rules name.
var outsideSources = []netip.Prefix{netip.MustParsePrefix("192.0.2.77/32"), netip.MustParsePrefix("2001:db8::77/128")}

// show renders a value for a message, at a bounded length.
func show(v reflect.Value) string {
	var s string
	switch v.Kind() {
	case reflect.String:
		s = fmt.Sprintf("%q", v.String())
	case reflect.Pointer, reflect.Map, reflect.Slice:
		switch {
		case v.IsNil():
			return "nil"
		case v.Kind() == reflect.Pointer:
			return "a " + v.Type().Elem().String()
		case v.Kind() == reflect.Map:
			return fmt.Sprintf("a map of %d", v.Len())
		case v.Type().Elem().Kind() == reflect.Uint8:
			s = fmt.Sprintf("%d bytes %x", v.Len(), v.Bytes())
		default:
			return fmt.Sprintf("a slice of %d", v.Len())
		}
	case reflect.Float32, reflect.Float64:
		return fmt.Sprintf("%v (bits %x)", v.Float(), math.Float64bits(v.Float()))
	default:
		s = fmt.Sprintf("%+v", v.Interface())
	}
	if len(s) > maxShown {
		return s[:maxShown] + "..."
	}
	return s
}

func showTime(t time.Time) string {
	_, offset := t.Zone()
	return fmt.Sprintf("%d.%09d s at offset %d s (%s)", t.Unix(), t.Nanosecond(), offset, t.UTC().Format(time.RFC3339Nano))
}
