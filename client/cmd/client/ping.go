//go:build js && wasm

package main

import (
	"context"
	"fmt"
	"syscall/js"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/node"
)

// pingTimeout is how long a peer has to answer.
const pingTimeout = 20 * time.Second

// ping asks a peer for a sign of life in the background. It returns the function that gives up.
func ping(ctx context.Context, n *node.Node, host string, settle js.Value) js.Func {
	return inBackground(ctx, settle, func(ctx context.Context) (any, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, pingTimeout, fmt.Errorf("no answer in %v", pingTimeout))
		defer cancel()
		pong, err := n.Ping(ctx, host)
		if err != nil {
			return nil, reason(ctx, err)
		}
		return map[string]any{
			"latency":   float64(pong.Latency) / float64(time.Millisecond),
			"relay":     pong.Relay,
			"peerRelay": pong.PeerRelay,
			"endpoint":  pong.Endpoint,
		}, nil
	})
}
