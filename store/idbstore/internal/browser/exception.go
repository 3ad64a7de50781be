//go:build js

package browser

import (
	"errors"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
)

// An Exception is an error that JavaScript threw. It unwraps to the
// [idb.DOMException] of the same name.
type Exception struct {
	name, message string
}

func (e *Exception) Error() string {
	if e.message == "" {
		return e.name
	}
	return e.name + ": " + e.message
}

func (e *Exception) Unwrap() error { return idb.NewDOMException(e.name) }

// Normal returns err, which may have been thrown, in the form in which go-indexeddb reports the failure of a
// request. [Named] needs that form.
func Normal(err error) error {
	if thrown := (js.Error{}); errors.As(err, &thrown) {
		return exception(thrown.Value)
	}
	return err
}

func exception(v js.Value) error {
	if v.Type() != js.TypeObject {
		return &Exception{name: v.String()}
	}
	return &Exception{name: v.Get("name").String(), message: v.Get("message").String()}
}

// Named reports whether err, as returned by [Normal], is a DOMException of one
// of these names.
func Named(err error, names ...string) bool {
	for _, name := range names {
		if errors.Is(err, idb.NewDOMException(name)) {
			return true
		}
	}
	return false
}
