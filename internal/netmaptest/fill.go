package netmaptest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"

	"tailscale.com/tailcfg"
	"tailscale.com/types/opt"
)

var (
	optBoolType    = reflect.TypeFor[opt.Bool]()
	rawMessageType = reflect.TypeFor[tailcfg.RawMessage]()
	nodeType       = reflect.TypeFor[tailcfg.Node]()
)

// Fill sets everything that v points to at random, including edge values, in the
// way of [Hostile]. It panics if v isn't a pointer, or if it reaches an interface,
// a channel or a function, since a netmap's stored fields have none.
func Fill(rng *rand.Rand, v any) {
	(&filler{Rand: rng}).fill(reflect.ValueOf(v).Elem(), false)
}

// FillJSON is like [Fill], but keeps to values that encoding/json writes and
// reads back unchanged, as [HostileJSON] does.
func FillJSON(rng *rand.Rand, v any) {
	(&filler{Rand: rng, json: true}).fill(reflect.ValueOf(v).Elem(), false)
}

type filler struct {
	*rand.Rand
	json bool // only what survives encoding/json
}

// oneIn reports true once in n times.
func (f *filler) oneIn(n int) bool { return f.IntN(n) == 0 }

func pick[T any](f *filler, from []T) T { return from[f.IntN(len(from))] }

// fill sets v. If omitted is true, the struct field it comes from has a JSON
// option that makes the encoder drop empty values.
func (f *filler) fill(v reflect.Value, omitted bool) {
	t := v.Type()
	switch t {
	case timeType:
		v.Set(reflect.ValueOf(f.time()))
		return
	case addrType:
		v.Set(reflect.ValueOf(f.addr()))
		return
	case addrPortType:
		v.Set(reflect.ValueOf(f.addrPort()))
		return
	case prefixType:
		v.Set(reflect.ValueOf(f.prefix()))
		return
	case optBoolType:
		v.SetString(string(f.optBool()))
		return
	case rawMessageType:
		v.SetString(f.rawMessage())
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(f.oneIn(2))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(f.int(t.Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(f.int(64)) >> (64 - t.Bits()))
	case reflect.Float64:
		v.SetFloat(f.float())
	case reflect.String:
		v.SetString(f.string())
	case reflect.Pointer:
		if f.oneIn(4) {
			v.SetZero()
		} else {
			v.Set(reflect.New(t.Elem()))
			f.fill(v.Elem(), false)
		}
	case reflect.Struct:
		f.fillStruct(v)
	case reflect.Array:
		f.fillArray(v)
	case reflect.Slice:
		n := f.length(omitted)
		if n < 0 {
			v.SetZero()
			return
		}
		v.Set(reflect.MakeSlice(t, n, n))
		for i := range n {
			f.fill(v.Index(i), false)
		}
	case reflect.Map:
		n := f.length(omitted)
		if n < 0 {
			v.SetZero()
			return
		}
		v.Set(reflect.MakeMap(t))
		for range n {
			key, elem := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			f.fill(key, false)
			f.fill(elem, false)
			v.SetMapIndex(key, elem)
		}
	default:
		panic(fmt.Sprintf("netmaptest.Fill: can't fill a %v", t))
	}
}

func (f *filler) fillStruct(v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		if isEmptyArray(sf.Type) || t == nodeType && !sf.IsExported() {
			continue
		}
		by := f
		if isNewer(sf.Name) {
			by = &filler{Rand: f.Rand, json: true} // such fields are only kept as JSON
		}
		by.fill(field(v, i), strings.Contains(sf.Tag.Get("json"), "omitempty"))
	}
	if t == nodeType {
		f.displayNames(v.Addr().Interface().(*tailcfg.Node))
	}
}

// isNewer reports whether a field of that name is missing in the oldest supported release of tailscale.com, but is in a
// later release or in one of the future (see tools/future).
func isNewer(field string) bool {
	return field == "StableTailnetID" || strings.HasPrefix(field, "Future")
}

// displayNames leaves n with display names that were never computed, that were
// computed, or that were computed and then changed. Nothing else sets
// the unexported name.
func (f *filler) displayNames(n *tailcfg.Node) {
	name, withHost := n.ComputedName, n.ComputedNameWithHost
	n.ComputedName, n.ComputedNameWithHost = "", ""
	if f.oneIn(3) {
		return
	}
	if n.Hostinfo.Valid() && f.oneIn(2) {
		hi := n.Hostinfo.AsStruct()
		hi.Hostname = "Ada's Laptop"
		n.Hostinfo = hi.View()
	}
	n.InitDisplayNames("tail-scale.ts.net")
	if f.json {
		return
	}
	switch f.IntN(4) {
	case 0:
		n.ComputedName = cmp.Or(name, "changed")
	case 1:
		n.ComputedNameWithHost = withHost
	}
}

// fillArray fills an array, which in tailcfg is a key or a hash.
func (f *filler) fillArray(v reflect.Value) {
	if f.oneIn(4) {
		v.SetZero()
		return
	}
	for i := range v.Len() {
		v.Index(i).SetUint(uint64(f.Uint32N(256)))
	}
}

// length returns the length of a slice or map, -1 for a nil one.
func (f *filler) length(omitted bool) int {
	n := f.IntN(6) - 2
	if n == 0 && omitted && f.json {
		return -1
	}
	return max(n, -1)
}

// int returns an integer of that many bits.
func (f *filler) int(bits int) int64 {
	lowest := int64(-1) << (bits - 1)
	edges := []int64{0, 1, -1, 23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, 1<<53 + 1, lowest, -(lowest + 1)}
	if f.oneIn(2) {
		return pick(f, edges) << (64 - bits) >> (64 - bits)
	}
	return int64(f.Uint64()) >> (64 - bits + f.IntN(bits))
}

func (f *filler) float() float64 {
	edges := []float64{0, 1, -1, 0.5, 0.1, 1e21, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, 65504, 65505, 16777217}
	if !f.json {
		edges = append(edges, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.Float64frombits(0x7ff0_0000_0000_0001), math.Float64frombits(0xfff8_0000_dead_beef))
	}
	if f.oneIn(2) {
		return pick(f, edges)
	}
	return float64(f.int(64)) / 3
}
