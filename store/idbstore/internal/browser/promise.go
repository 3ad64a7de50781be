//go:build js

package browser

import (
	"context"
	"syscall/js"
)

// Await waits for a promise and returns its value. If the promise is rejected, the error is one that [Normal] knows.
func Await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	var fulfilled, rejected js.Func
	settle := func(o outcome) any {
		done <- o
		fulfilled.Release()
		rejected.Release()
		liveFuncs.Add(-2)
		return nil
	}
	fulfilled = js.FuncOf(func(_ js.Value, args []js.Value) any { return settle(outcome{value: args[0]}) })
	rejected = js.FuncOf(func(_ js.Value, args []js.Value) any { return settle(outcome{err: js.Error{Value: args[0]}}) })
	liveFuncs.Add(2)
	promise.Call("then", fulfilled, rejected)
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return js.Value{}, context.Cause(ctx)
	}
}

// Alive asks factory, an IDBFactory, which databases there are, and returns a channel that is closed when
// it has answered. No connection or request of others holds this question up. A browser that
// doesn't know the question gives no answer.
func Alive(ctx context.Context, factory js.Value) <-chan struct{} {
	alive := make(chan struct{})
	go func() {
		_, err := Try(func() (js.Value, error) { return Await(ctx, factory.Call("databases")) })
		if err == nil {
			close(alive)
		}
	}()
	return alive
}
