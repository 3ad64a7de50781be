//go:build js && wasm

package main

import (
	"context"
	"io"
	"net/http"
	"syscall/js"

	"github.com/netmapcache/netmapcache/client/internal/node"
)

// request sends an HTTP request to a peer in the background. It returns the function that gives up.
func request(ctx context.Context, n *node.Node, asked, settle js.Value) js.Func {
	// The context lasts until the body is closed.
	ctx, cancel := context.WithCancel(ctx)
	abort := js.FuncOf(func(js.Value, []js.Value) any { cancel(); return nil })
	go func() {
		response, err := respond(ctx, n, asked)
		if err != nil {
			cancel()
			abort.Release()
			settle.Invoke(errorValue(err))
			return
		}
		f := functions{abort}
		settle.Invoke(js.Null(), map[string]any{
			"status":     response.StatusCode,
			"statusText": http.StatusText(response.StatusCode),
			"url":        response.Request.URL.String(),
			"headers":    headers(response.Header),
			"read":       f.addReader(response.Body),
			"close": f.add(func([]js.Value) {
				go func() {
					response.Body.Close()
					cancel()
					f.release()
				}()
			}),
		})
	}()
	return abort
}

// respond returns a peer's response to a request of JavaScript.
func respond(ctx context.Context, n *node.Node, asked js.Value) (_ *http.Response, err error) {
	r, err := http.NewRequestWithContext(ctx, asked.Get("method").String(), asked.Get("url").String(), nil)
	if err != nil {
		return nil, err
	}
	if body := asked.Get("body"); body.Truthy() {
		first := &jsBody{ctx: ctx, body: body}
		r.Body = first
		r.ContentLength = -1                                        // not known
		if size := body.Get("size"); size.Type() == js.TypeNumber { // and so there is more of the same where it came from
			r.ContentLength = int64(size.Float())
			attempt := 0
			r.GetBody = func() (io.ReadCloser, error) {
				attempt++
				return &jsBody{ctx: ctx, body: body, attempt: attempt}, nil
			}
		}
		defer func() {
			if err != nil {
				first.Close() // it may not have been asked for
			}
		}()
	}
	pairs := asked.Get("headers")
	for i := range pairs.Length() {
		r.Header.Add(pairs.Index(i).Index(0).String(), pairs.Index(i).Index(1).String())
	}
	return n.Fetch(r, asked.Get("follow").Bool())
}

// headers returns pairs of name and value.
func headers(h http.Header) []any {
	var pairs []any
	for name, values := range h {
		for _, value := range values {
			pairs = append(pairs, []any{name, value})
		}
	}
	return pairs
}
