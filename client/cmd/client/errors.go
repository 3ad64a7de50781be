//go:build js && wasm

package main

import (
	"context"
	"errors"
	"strings"

	"github.com/netmapcache/netmapcache/client/internal/node"
	"gvisor.dev/gvisor/pkg/tcpip"
)

// networkErrors are the codes of what the network stack reports. It says that as text alone.
var networkErrors = []struct {
	err  tcpip.Error
	code string
}{
	{&tcpip.ErrConnectionRefused{}, "refused"},
	{&tcpip.ErrConnectionReset{}, "reset"},
	{&tcpip.ErrConnectionAborted{}, "reset"},
	{&tcpip.ErrTimeout{}, "timeout"},
	{&tcpip.ErrHostUnreachable{}, "unreachable"},
	{&tcpip.ErrNetworkUnreachable{}, "unreachable"},
	{&tcpip.ErrClosedForSend{}, "reset"}, // JavaScript writes nothing after it has closed
	{&tcpip.ErrClosedForReceive{}, "closed"},
}

// errorValue returns an error as JavaScript sees it, an object of code and message, or null.
func errorValue(err error) any {
	if err == nil {
		return nil
	}
	return map[string]any{"code": codeOf(err), "message": err.Error()}
}

// reason returns why ctx ended, if that is what err is about.
func reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && err != nil && errors.Is(err, ctx.Err()) {
		return cause
	}
	return err
}

func codeOf(err error) string {
	switch {
	case errors.Is(err, errVersion):
		return "version"
	case errors.Is(err, node.ErrOtherControl):
		return "other-control"
	case errors.Is(err, node.ErrExitNode):
		return "exit-node"
	case errors.Is(err, node.ErrNeedsLogin):
		return "needs-login"
	case errors.Is(err, node.ErrNoPeer):
		return "no-peer"
	case errors.Is(err, node.ErrRedirect):
		return "redirect"
	case errors.Is(err, context.Canceled):
		return "aborted"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	for _, e := range networkErrors {
		if strings.Contains(err.Error(), e.err.String()) {
			return e.code
		}
	}
	return "network"
}
