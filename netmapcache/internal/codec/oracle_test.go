package codec

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"go4.org/mem"
	"tailscale.com/tailcfg"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/opt"
)

// The oracle decodes by fxamacker/cbor into values of type any, and makes
// those into Go values by reflection over the types and fields.txt. It shares no code with the
// decoder.

//go:embed fields.txt
var fieldsText string

// fieldNumbers maps type and field, as in "tailcfg.Node.ID", to the number.
var fieldNumbers = func() map[string]uint64 {
	numbers := map[string]uint64{}
	for line := range strings.Lines(fieldsText) {
		parts := strings.Fields(line)
		if len(parts) < 3 || parts[0] == "#" || parts[0] == "retired" {
			continue
		}
		n, err := strconv.ParseUint(parts[1], 10, 64)
		if err != nil {
			panic(err)
		}
		numbers[parts[0]] = n
	}
	return numbers
}()

var strictMode = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		UTF8:             cbor.UTF8RejectInvalid,
		MapKeyByteString: cbor.MapKeyByteStringAllowed,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

// generic decodes data into values of type any.
func generic(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := strictMode.Unmarshal(data, &v); err != nil {
		t.Fatalf("fxamacker/cbor: %v", err)
	}
	return v
}

// diagnose returns data in CBOR's diagnostic notation.
func diagnose(data []byte) string {
	s, err := cbor.Diagnose(data)
	if err != nil {
		return err.Error()
	}
	return s
}

// build sets dst to what x stands for.
func build(dst reflect.Value, x any) error {
	t := dst.Type()
	if x == nil {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			dst.SetZero()
			return nil
		}
		return fmt.Errorf("null for a %v", t)
	}
	if v, ok, err := buildLeaf(t, x); err != nil {
		return fmt.Errorf("%v: %w", t, err)
	} else if ok {
		dst.Set(reflect.ValueOf(v))
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(t.Elem()))
		return build(dst.Elem(), x)
	case reflect.Struct:
		return buildStruct(dst, x)
	case reflect.Slice:
		if b, ok := x.([]byte); ok && t.Elem().Kind() == reflect.Uint8 {
			dst.Set(reflect.MakeSlice(t, len(b), len(b)))
			reflect.Copy(dst, reflect.ValueOf(b))
			return nil
		}
		list, ok := x.([]any)
		if !ok {
			return fmt.Errorf("%T for a %v", x, t)
		}
		dst.Set(reflect.MakeSlice(t, len(list), len(list)))
		for i, e := range list {
			if err := build(dst.Index(i), e); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		m, ok := x.(map[any]any)
		if !ok {
			return fmt.Errorf("%T for a %v", x, t)
		}
		dst.Set(reflect.MakeMap(t))
		for xk, xv := range m {
			k, v := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			if err := build(k, xk); err != nil {
				return err
			}
			if err := build(v, xv); err != nil {
				return err
			}
			dst.SetMapIndex(k, v)
		}
		return nil
	}
	return buildScalar(dst, x)
}

func buildStruct(dst reflect.Value, x any) error {
	t := dst.Type()
	m, ok := x.(map[any]any)
	if !ok {
		return fmt.Errorf("%T for a %v", x, t)
	}
	known := 0
	for i := range t.NumField() {
		f := t.Field(i)
		num, ok := fieldNumbers[t.String()+"."+f.Name]
		if !ok {
			if f.IsExported() {
				return fmt.Errorf("%v.%s has no number", t, f.Name)
			}
			continue
		}
		v, ok := m[num]
		if !ok {
			if t.String() == "tailcfg.Node" && f.Name == "AllowedIPs" {
				v, ok = m[fieldNumbers["tailcfg.Node.Addresses"]]
			}
			if !ok {
				continue
			}
			known--
		}
		known++
		if stem := stemOf[t.String()+"."+f.Name]; stem != "" {
			v = withStem(dst.FieldByName(stem).String(), v)
		}
		if err := build(dst.Field(i), v); err != nil {
			return fmt.Errorf("%v.%s: %w", t, f.Name, err)
		}
	}
	if known != len(m) {
		return fmt.Errorf("%v has %d fields that are not in the table", t, len(m)-known)
	}
	return nil
}

// stemOf maps the fields that are written in relation to another to that.
var stemOf = map[string]string{"tailcfg.Node.ComputedName": "Name", "tailcfg.Node.ComputedNameWithHost": "ComputedName"}

// withStem returns the string or byte string that x stands for.
func withStem(stem string, x any) any {
	switch x := x.(type) {
	case uint64:
		return stem[:x]
	case []any:
		part := stem[:x[0].(uint64)]
		if rest, ok := x[1].([]byte); ok {
			return append([]byte(part), rest...)
		}
		return part + x[1].(string)
	}
	return x
}

func buildScalar(dst reflect.Value, x any) error {
	t := dst.Type()
	switch x := x.(type) {
	case bool:
		if t.Kind() == reflect.Bool {
			dst.SetBool(x)
			return nil
		}
	case string:
		if t.Kind() == reflect.String {
			dst.SetString(x)
			return nil
		}
	case []byte:
		if t.Kind() == reflect.String {
			dst.SetString(string(x))
			return nil
		}
	case cbor.ByteString:
		if t.Kind() == reflect.String {
			dst.SetString(string(x))
			return nil
		}
	case float64:
		if t.Kind() == reflect.Float64 {
			dst.SetFloat(x)
			return nil
		}
	case uint64:
		if dst.CanUint() && !dst.OverflowUint(x) {
			dst.SetUint(x)
			return nil
		}
		if dst.CanInt() && x <= math.MaxInt64 && !dst.OverflowInt(int64(x)) {
			dst.SetInt(int64(x))
			return nil
		}
	case int64:
		if dst.CanInt() && !dst.OverflowInt(x) {
			dst.SetInt(x)
			return nil
		}
	}
	return fmt.Errorf("%T for a %v", x, t)
}

// buildLeaf returns what x stands for if t is a type with a form of its own.
func buildLeaf(t reflect.Type, x any) (v any, ok bool, err error) {
	raw, _ := x.([]byte)
	switch t {
	case reflect.TypeFor[tailcfg.HostinfoView]():
		h := new(tailcfg.Hostinfo)
		err := build(reflect.ValueOf(h).Elem(), x)
		return h.View(), true, err
	case reflect.TypeFor[key.NodePublic]():
		return key.NodePublicFromRaw32(mem.B(raw)), true, nil
	case reflect.TypeFor[key.MachinePublic]():
		return key.MachinePublicFromRaw32(mem.B(raw)), true, nil
	case reflect.TypeFor[key.DiscoPublic]():
		return key.DiscoPublicFromRaw32(mem.B(raw)), true, nil
	case reflect.TypeFor[tka.AUMHash]():
		return tka.AUMHash(raw), true, nil
	case reflect.TypeFor[format.Digest]():
		return format.Digest(raw), true, nil
	case reflect.TypeFor[netip.Addr]():
		var a netip.Addr
		err := a.UnmarshalBinary(raw)
		return a, true, err
	case reflect.TypeFor[netip.AddrPort]():
		var a netip.AddrPort
		err := a.UnmarshalBinary(raw)
		return a, true, err
	case reflect.TypeFor[netip.Prefix]():
		var p netip.Prefix
		err := p.UnmarshalBinary(raw)
		return p, true, err
	case reflect.TypeFor[opt.Bool]():
		if b, ok := x.(bool); ok {
			return opt.NewBool(b), true, nil
		}
	case reflect.TypeFor[time.Time]():
		parts := []any{x, uint64(0), int64(0)}
		if list, ok := x.([]any); ok {
			copy(parts, list)
		}
		var n [3]int64
		for i, p := range parts {
			if err := build(reflect.ValueOf(&n[i]).Elem(), p); err != nil {
				return nil, false, err
			}
		}
		return time.Unix(n[0], n[1]).In(time.FixedZone("", int(n[2]))), true, nil
	}
	return nil, false, nil
}

func TestOracle(t *testing.T) {
	forEach(t, 200, func(t *testing.T, c column, v any) {
		data := c.append(nil, v)
		got := reflect.New(reflect.TypeOf(v).Elem())
		if err := build(got.Elem(), generic(t, data)); err != nil {
			t.Fatalf("%v\n%s", err, diagnose(data))
		}
		if diff := netmaptest.Diff(got.Interface(), v, notStored); diff != "" {
			t.Errorf("what fxamacker/cbor decodes differs:\n%s%s", diff, diagnose(data))
		}
	})
}

// TestCoreDeterministic compares with what fxamacker/cbor makes of the same
// values by its options for core deterministic encoding.
func TestCoreDeterministic(t *testing.T) {
	options := cbor.CoreDetEncOptions()
	options.NaNConvert = cbor.NaNConvertPreserveSignal
	mode, err := options.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	forEach(t, 200, func(t *testing.T, c column, v any) {
		data := c.append(nil, v)
		want, err := mode.Marshal(generic(t, data))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, want) {
			t.Errorf("got  %s\nwant %s", diagnose(data), diagnose(want))
		}
	})
}
