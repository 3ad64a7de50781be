//go:build js

package browser

import (
	"errors"
	"fmt"
	"strings"
	"syscall/js"
	"testing"

	"github.com/hack-pad/go-indexeddb/idb"
)

// eval returns the value of a JavaScript expression, or what it throws.
func eval(expression string) (js.Value, error) {
	return Try(func() (js.Value, error) { return js.Global().Call("eval", "("+expression+")"), nil })
}

func TestListen(t *testing.T) {
	target, err := eval(`new EventTarget()`)
	if err != nil {
		t.Fatal(err)
	}
	dispatch := func(event string) { target.Call("dispatchEvent", js.Global().Get("Event").New(event)) }
	before := LiveFuncs()
	var heard []string
	remove := Listen(target, "a", func(event js.Value) { heard = append(heard, event.Get("type").String()) })
	dispatch("a")
	dispatch("b")
	dispatch("a")
	if n := LiveFuncs(); n != before+1 {
		t.Errorf("%d functions while listening, want %d", n, before+1)
	}
	remove()
	remove()
	dispatch("a")
	if fmt.Sprint(heard) != "[a a]" {
		t.Errorf("heard %v, want twice a", heard)
	}
	if n := LiveFuncs(); n != before {
		t.Errorf("%d functions afterwards, want %d", n, before)
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ thrown, name, text string }{
		{`new DOMException('full', 'QuotaExceededError')`, "QuotaExceededError", "QuotaExceededError: full"},
		{`new DOMException('', 'AbortError')`, "AbortError", "AbortError"},
		{`new TypeError('x')`, "TypeError", "TypeError: x"},
		{`'text'`, "text", "text"},
		{`null`, "<null>", "<null>"},
	} {
		_, err := eval(`(() => { throw ` + tt.thrown + ` })()`)
		err = Normal(fmt.Errorf("wrapped: %w", err))
		if !Named(err, "OtherError", tt.name) || Named(err, "OtherError") || err.Error() != tt.text {
			t.Errorf("%s: error %q, want %q of the name %s", tt.thrown, err, tt.text, tt.name)
		}
		if exception := (idb.DOMException{}); !errors.As(err, &exception) {
			t.Errorf("%s: %v is not an idb.DOMException", tt.thrown, err)
		}
	}
	if err := errors.New("other"); Normal(err) != err || Named(err, "AbortError") || Named(nil, "AbortError") {
		t.Error("an error that JavaScript did not throw is not left alone")
	}
}

func TestTry(t *testing.T) {
	for name, do := range map[string]func() (int, error){
		"call of a method that isn't there": func() (int, error) { return js.Global().Call("nope").Int(), nil },
		"property of undefined":             func() (int, error) { return js.Undefined().Get("x").Int(), nil },
		"not a number":                      func() (int, error) { return js.ValueOf("x").Int(), nil },
		"constructor of undefined":          func() (int, error) { return js.Undefined().New().Int(), nil },
		"error returned":                    func() (int, error) { return 0, errors.New("x") },
	} {
		if _, err := Try(do); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Try swallowed a panic of Go")
		}
	}()
	var m map[string]int
	Try(func() (int, error) { m["x"] = 1; return 0, nil })
}

func TestGlobal(t *testing.T) {
	if _, err := eval(`Object.defineProperty(globalThis, 'thrower', {configurable: true, get() { throw new DOMException('no', 'SecurityError') }})`); err != nil {
		t.Fatal(err)
	}
	defer js.Global().Delete("thrower")
	if v, err := Global("thrower"); err == nil || !Named(Normal(err), "SecurityError") {
		t.Errorf("of a getter that throws = %v, %v", v, err)
	}
	if v, err := Global("noSuchThing"); err != nil || !v.IsUndefined() {
		t.Errorf("of nothing = %v, %v, want undefined", v, err)
	}
	if v, err := Global("indexedDB"); err != nil || v.Type() != js.TypeObject {
		t.Errorf("of indexedDB = %v, %v", v, err)
	}
}

func TestBytes(t *testing.T) {
	for _, want := range []string{"", "a", strings.Repeat("x", 100_000)} {
		array, err := FromBytes([]byte(want))
		if err != nil {
			t.Fatal(err)
		}
		if n := array.Get("buffer").Get("byteLength").Int(); n != len(want) {
			t.Errorf("buffer of %d bytes, want %d", n, len(want))
		}
		for _, v := range []js.Value{array, array.Get("buffer")} {
			array, ok := Array(v)
			if !ok {
				t.Fatalf("%v is not taken for bytes", v)
			}
			if got := ToBytes(array); got == nil || string(got) != want {
				t.Errorf("%d bytes, want %d", len(got), len(want))
			}
		}
	}
}
