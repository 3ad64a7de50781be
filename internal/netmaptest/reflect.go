package netmaptest

import (
	"reflect"
	"unsafe"
)

// viewField is the name of the only field of tailcfg's views.
const viewField = "ж"

// field returns the i-th field of v, an addressable struct. Unlike v.Field(i)
// it can be set and converted to an interface even if it is unexported, as
// are the pointer in a view, the bytes of a key and a node's computed host name.
func field(v reflect.Value, i int) reflect.Value {
	f := v.Field(i)
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

// addressable returns a copy of v whose fields can be passed to field.
func addressable(v reflect.Value) reflect.Value {
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}

// isLeaf reports whether values of type t are treated as a whole, whatever they
// contain.
func isLeaf(t reflect.Type) bool {
	switch t {
	case timeType, addrType, addrPortType, prefixType:
		return true
	}
	return false
}

// isEmptyArray reports whether t can't hold anything, like structs.Incomparable.
func isEmptyArray(t reflect.Type) bool {
	return t.Kind() == reflect.Array && t.Len() == 0
}
