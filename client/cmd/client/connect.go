//go:build js && wasm

package main

import (
	"context"
	"net"
	"syscall/js"

	"github.com/netmapcache/netmapcache/client/internal/node"
)

// connect connects to a TCP port of a peer in the background. It returns the function that gives up.
func connect(ctx context.Context, n *node.Node, address string, settle js.Value) js.Func {
	return inBackground(ctx, settle, func(ctx context.Context) (any, error) {
		conn, err := n.Dial(ctx, address)
		if err != nil {
			return nil, err
		}
		return connValue(conn), nil
	})
}

// inBackground calls call, and settles with what it returns. It returns the function that ends its context.
func inBackground(ctx context.Context, settle js.Value, call func(context.Context) (any, error)) js.Func {
	ctx, cancel := context.WithCancel(ctx)
	abort := js.FuncOf(func(js.Value, []js.Value) any { cancel(); return nil })
	go func() {
		defer abort.Release()
		defer cancel()
		result, err := call(ctx)
		if err != nil {
			settle.Invoke(errorValue(err))
			return
		}
		settle.Invoke(js.Null(), result)
	}()
	return abort
}

// connValue returns a connection as JavaScript sees it. It must call close, once, and nothing after that.
func connValue(conn net.Conn) map[string]any {
	var f functions
	return map[string]any{
		"read": f.addReader(conn),
		"write": f.add(func(args []js.Value) {
			data, settle := goBytes(args[0]), args[1]
			go func() {
				_, err := conn.Write(data)
				settle.Invoke(errorValue(err))
			}()
		}),
		"closeWrite": f.add(func(args []js.Value) {
			settle := args[0]
			go func() {
				settle.Invoke(errorValue(conn.(interface{ CloseWrite() error }).CloseWrite()))
			}()
		}),
		"close": f.add(func([]js.Value) {
			go func() {
				conn.Close()
				f.release()
			}()
		}),
	}
}
