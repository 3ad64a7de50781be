//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall/js"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/node"
)

// A peer that doesn't answer is given up after these times; what it sends is refused above maxBody bytes.
const (
	fetchTimeout = time.Minute
	pingTimeout  = 20 * time.Second
	maxBody      = 8 << 20
)

// ask asks a peer by a function of the node, which returns the answer as JavaScript sees it, in the background. It returns the
// function that gives up.
func ask(ctx context.Context, timeout time.Duration, by func(context.Context) (map[string]any, error), settle js.Value) js.Func {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer in %v", timeout))
	abort := js.FuncOf(func(js.Value, []js.Value) any { cancel(); return nil })
	go func() {
		defer abort.Release()
		defer cancel()
		result, err := by(ctx)
		if err != nil {
			settle.Invoke(reason(ctx, err).Error())
			return
		}
		settle.Invoke(js.Null(), result)
	}()
	return abort
}

// ping asks a peer for a sign of life.
func ping(ctx context.Context, n *node.Node, host string) (map[string]any, error) {
	pong, err := n.Ping(ctx, host)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"latency":   float64(pong.Latency) / float64(time.Millisecond),
		"relay":     pong.Relay,
		"peerRelay": pong.PeerRelay,
		"endpoint":  pong.Endpoint,
	}, nil
}

// fetch asks a peer for a page.
func fetch(ctx context.Context, n *node.Node, url string) (map[string]any, error) {
	response, err := n.Fetch(ctx, url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxBody)
	}
	array := js.Global().Get("Uint8Array").New(len(body))
	js.CopyBytesToJS(array, body)
	return map[string]any{
		"status":  response.StatusCode,
		"url":     response.Request.URL.String(),
		"headers": headers(response.Header),
		"body":    array,
	}, nil
}

// reason returns why ctx ended, if that is what err is about.
func reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
		return cause
	}
	return err
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
