//go:build js

package browser

import "syscall/js"

var (
	uint8Array  = js.Global().Get("Uint8Array")
	arrayBuffer = js.Global().Get("ArrayBuffer")
)

// FromBytes returns a Uint8Array whose buffer holds a copy of b and nothing else:
// IndexedDB stores the whole buffer. It is an error if there is no memory for it.
func FromBytes(b []byte) (js.Value, error) {
	return Try(func() (js.Value, error) {
		array := uint8Array.New(len(b))
		js.CopyBytesToJS(array, b)
		return array, nil
	})
}

// ToBytes returns a copy of a Uint8Array or ArrayBuffer. It reports false if v is
// neither.
func ToBytes(v js.Value) ([]byte, bool) {
	switch {
	case v.InstanceOf(uint8Array):
	case v.InstanceOf(arrayBuffer):
		v = uint8Array.New(v)
	default:
		return nil, false
	}
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b, true
}
