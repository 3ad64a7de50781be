//go:build js && wasm

package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"syscall/js"
)

// chunkSize is how many bytes pass to JavaScript at once, at most.
const chunkSize = 64 << 10

// functions are those that JavaScript may call until they are released.
type functions []js.Func

// add returns a function for JavaScript.
func (f *functions) add(call func(args []js.Value)) js.Func {
	made := js.FuncOf(func(_ js.Value, args []js.Value) any { call(args); return nil })
	*f = append(*f, made)
	return made
}

func (f functions) release() {
	for _, made := range f {
		made.Release()
	}
}

// addReader returns the function by which JavaScript reads r, one call at a time: it settles with some bytes, or with
// null at the end.
func (f *functions) addReader(r io.Reader) js.Func {
	buf := make([]byte, chunkSize)
	return f.add(func(args []js.Value) {
		settle := args[0]
		go func() {
			for {
				n, err := r.Read(buf)
				switch {
				case n > 0:
					settle.Invoke(js.Null(), bytesValue(buf[:n]))
				case err == io.EOF:
					settle.Invoke(js.Null(), js.Null())
				case err != nil:
					settle.Invoke(errorValue(err))
				default:
					continue
				}
				return
			}
		}()
	})
}

// bytesValue returns a copy of data as JavaScript sees it.
func bytesValue(data []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	return array
}

// goBytes returns a copy of a Uint8Array.
func goBytes(array js.Value) []byte {
	data := make([]byte, array.Length())
	js.CopyBytesToGo(data, array)
	return data
}

// A jsBody is the body of a request, which JavaScript has: body.read(attempt, settle) settles as the functions of addReader
// do, once for each call. A later attempt reads it from the beginning. body.cancel(attempt) gives it up.
type jsBody struct {
	ctx     context.Context
	body    js.Value
	attempt int
	rest    []byte
	closing sync.Once
}

func (b *jsBody) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		type result struct {
			data []byte
			err  error
		}
		results := make(chan result, 1)
		var settle js.Func
		settle = js.FuncOf(func(_ js.Value, args []js.Value) any {
			defer settle.Release()
			switch problem := args[0]; {
			case !problem.IsNull():
				results <- result{err: fmt.Errorf("the body can't be read: %s", problem.String())}
			case args[1].IsNull():
				results <- result{err: io.EOF}
			default:
				results <- result{data: goBytes(args[1])}
			}
			return nil
		})
		b.body.Call("read", b.attempt, settle)
		select {
		case got := <-results:
			if got.err != nil {
				return 0, got.err
			}
			b.rest = got.data
		case <-b.ctx.Done():
			return 0, context.Cause(b.ctx)
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close implements [io.Closer]. A read that waits settles then.
func (b *jsBody) Close() error {
	b.closing.Do(func() { b.body.Call("cancel", b.attempt) })
	return nil
}
