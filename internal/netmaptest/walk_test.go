package netmaptest

import (
	"reflect"
	"slices"
	"testing"

	"tailscale.com/types/netmap"
)

// visit calls f for everything in v, an addressable value, with the name of the
// field that it is, or is an element of, in the form of Ignore.
func visit(v reflect.Value, name string, f func(name string, v reflect.Value)) {
	f(name, v)
	t := v.Type()
	if isLeaf(t) {
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visit(v.Elem(), name, f)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if sf := t.Field(i); !isEmptyArray(sf.Type) {
				visit(field(v, i), t.String()+"."+sf.Name, f)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			visit(v.Index(i), name, f)
		}
	case reflect.Map:
		for _, k := range sortedKeys(v) {
			visit(addressable(k), name, f)
			visit(addressable(v.MapIndex(k)), name, f)
		}
	}
}

// fieldsOf returns the names of all fields of all structs that t can hold.
func fieldsOf(t reflect.Type) []string {
	seen := map[reflect.Type]bool{}
	var names []string
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		if isLeaf(t) || seen[t] {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(t.Elem())
		case reflect.Map:
			walk(t.Key())
			walk(t.Elem())
		case reflect.Struct:
			for i := range t.NumField() {
				if f := t.Field(i); !isEmptyArray(f.Type) {
					names = append(names, t.String()+"."+f.Name)
					walk(f.Type)
				}
			}
		}
	}
	walk(t)
	slices.Sort(names)
	return names
}

// checkAllSet fails for each field that a NetworkMap can hold which isn't in
// set, unless it is one of the exceptions, and for exceptions that are.
func checkAllSet(t *testing.T, set map[string]bool, exceptions map[string]string) {
	t.Helper()
	all := fieldsOf(reflect.TypeFor[netmap.NetworkMap]())
	if len(all) < 150 {
		t.Fatalf("found only %d fields in a NetworkMap", len(all))
	}
	for _, name := range all {
		if _, excepted := exceptions[name]; !set[name] && !excepted {
			t.Errorf("%s is always zero", name)
		} else if set[name] && excepted {
			t.Errorf("%s is listed as always zero, but isn't", name)
		}
	}
	for name := range exceptions {
		if !slices.Contains(all, name) {
			t.Errorf("%s is listed as always zero, but doesn't exist", name)
		}
	}
}

// collectSet adds to set the fields in nm that aren't zero.
func collectSet(nm *netmap.NetworkMap, set map[string]bool) {
	visit(reflect.ValueOf(nm).Elem(), "", func(name string, v reflect.Value) {
		if !v.IsZero() {
			set[name] = true
		}
	})
}

func TestVisitSeesThroughViews(t *testing.T) {
	nm := Realistic(3, 1)
	set := map[string]bool{}
	collectSet(nm, set)
	for _, name := range []string{"tailcfg.Node.ID", "tailcfg.Node.computedHostIfDifferent", "tailcfg.Hostinfo.OS", "key.NodePublic.k", "tailcfg.FilterRule.SrcIPs", "tailcfg.DERPNode.HostName", "tailcfg.DisplayMessage.Title"} {
		if !set[name] {
			t.Errorf("%s not visited", name)
		}
	}
}
