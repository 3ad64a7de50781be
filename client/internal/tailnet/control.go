package tailnet

import (
	"context"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/logger"
)

// keepAlive is how often a client that has nothing to be told is told so. Clients
// give a silent connection up after 120 seconds (controlclient's watchdogTimeout).
const keepAlive = 50 * time.Second

// NewControl returns a control server for the network. It lets everyone in, unless RequireAuth is set before it
// serves. Only the paths of the protocol, /key and /ts2021, may be routed to it: it panics at others.
func NewControl(n *Network, logf logger.Logf) *testcontrol.Server {
	server := &testcontrol.Server{Logf: logf}
	server.MaybeRateLimitRegister = func() (reject bool, retryAfter, msg string) {
		n.registrations.Add(1)
		return false, "", ""
	}
	server.AltMapStream = func(ctx context.Context, w testcontrol.MapStreamWriter, req *tailcfg.MapRequest) {
		if err := n.serveMap(ctx, w, req, server.Node(req.NodeKey)); err != nil {
			logf("map poll of %s: %v", req.NodeKey.ShortString(), err)
		}
	}
	return server
}

// serveMap answers one map request: registered is nil for a client that control doesn't know.
func (n *Network) serveMap(ctx context.Context, w testcontrol.MapStreamWriter, req *tailcfg.MapRequest, registered *tailcfg.Node) error {
	var c *client
	if registered != nil {
		c = n.join(registered, req)
	}
	if !req.Stream {
		return w.SendMapMessage(&tailcfg.MapResponse{})
	}
	if c == nil {
		return nil // ends the poll; the client registers before it asks again
	}
	full, s := n.watch(c)
	defer n.unwatch(s)
	if err := w.SendMapMessage(full); err != nil {
		return err
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		mr := &tailcfg.MapResponse{KeepAlive: true}
		select {
		case <-ctx.Done():
			return nil
		case <-alive.C:
		case delta, ok := <-s.deltas:
			if !ok {
				return nil
			}
			mr = delta
		}
		if err := w.SendMapMessage(mr); err != nil {
			return err
		}
	}
}
