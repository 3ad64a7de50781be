//go:build js

package browser

import "syscall/js"

var (
	uint8Array  = js.Global().Get("Uint8Array")
	arrayBuffer = js.Global().Get("ArrayBuffer")
)

// FromBytes returns a Uint8Array whose buffer holds a copy of b and nothing else, since
// IndexedDB stores the whole buffer. It is an error if there is no memory for it.
func FromBytes(b []byte) (js.Value, error) {
	return Try(func() (js.Value, error) {
		array := uint8Array.New(len(b))
		js.CopyBytesToJS(array, b)
		return array, nil
	})
}

// Array returns the content of v as a Uint8Array, without copying it. ok is false if v is neither
// a Uint8Array nor an ArrayBuffer.
func Array(v js.Value) (array js.Value, ok bool) {
	switch {
	case v.InstanceOf(uint8Array):
		return v, true
	case v.InstanceOf(arrayBuffer):
		return uint8Array.New(v), true
	}
	return js.Value{}, false
}

// ToBytes returns a copy of a Uint8Array.
func ToBytes(array js.Value) []byte {
	b := make([]byte, array.Length())
	js.CopyBytesToGo(b, array)
	return b
}
