package codec

import (
	"reflect"
	"unsafe"

	"tailscale.com/tailcfg"
)

// structOf returns the struct behind the view v, or nil if v is invalid. It must
// not be changed.
//
// A view holds a pointer to its struct and nothing else, but doesn't expose the
// pointer. AsStruct makes a clone, which is slow, and not exact (nil in a CapMap
// becomes empty). Marshaling the view with a marshal function for the struct exposes
// the pointer too, but needs the whole JSON package, which made a small
// program for js/wasm grow from 1.10 to 1.47 MB (brotli). The program has reflection anyway.
//
// If views ever have another form, structOf clones the struct.
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

// hostField is the unexported field of a node's display names.
var hostField, hasHostField = reflect.TypeFor[tailcfg.Node]().FieldByName("computedHostIfDifferent")

// SetDisplayHost sets the unexported field of n's display names, the host name
// if that is different. InitDisplayNames could do so too, but took a tenth of Load.
func SetDisplayHost(n *tailcfg.Node, host string) {
	if hasHostField && hostField.Type.Kind() == reflect.String {
		*(*string)(unsafe.Add(unsafe.Pointer(n), hostField.Offset)) = host
	}
}
