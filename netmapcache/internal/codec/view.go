package codec

import (
	"reflect"
	"unsafe"

	"tailscale.com/tailcfg"
)

// structOf returns the struct behind the view v, or nil if v is invalid. It must
// not be changed.
//
// A view holds a pointer to its struct and nothing else, but doesn't give it
// away: AsStruct makes a clone, which is slow, and not exact (nil in a CapMap
// becomes empty). Marshaling the view with a marshal function for the struct gives
// the pointer too, but takes the whole JSON package, which made a small
// program for js/wasm grow from 1.10 to 1.47 MB (brotli). Reflection is at hand anyway.
//
// Should views ever be made otherwise, the struct is cloned.
func structOf[V interface {
	Valid() bool
	AsStruct() *T
}, T any](v V) *T {
	if !v.Valid() {
		return nil
	}
	view, t := reflect.ValueOf(v), reflect.TypeFor[T]()
	if view.NumField() == 1 {
		if p := view.Field(0); p.Kind() == reflect.Pointer && p.Type().Elem() == t {
			return reflect.NewAt(t, p.UnsafePointer()).Interface().(*T)
		}
	}
	return v.AsStruct()
}

// hostField is the field of a node that has the part of its display names that
// isn't exported.
var hostField, hasHostField = reflect.TypeFor[tailcfg.Node]().FieldByName("computedHostIfDifferent")

// SetDisplayHost sets the part of n's display names that isn't exported, the host name
// if that is different. InitDisplayNames, which could, took a tenth of Load.
func SetDisplayHost(n *tailcfg.Node, host string) {
	if hasHostField && hostField.Type.Kind() == reflect.String {
		*(*string)(unsafe.Add(unsafe.Pointer(n), hostField.Offset)) = host
	}
}
