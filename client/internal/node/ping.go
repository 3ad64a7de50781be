package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"
	"tailscale.com/wgengine"
)

// pingEvery is how long an answer is waited for before the peer is asked again: what a relay gets while the peer, or this node,
// connects to it is lost.
const pingEvery = 2 * time.Second

// Pong is a peer's answer to a ping, and the way that packets to that peer take.
type Pong struct {
	Latency   time.Duration // from the ping to the answer
	Relay     int           // the ID of the relay, or 0
	PeerRelay string        // the address of another peer that passes packets on, if one does
	Endpoint  string        // the address of the peer, if nobody does
}

// Ping asks a peer, by its name in the tailnet or its address, for a sign of life, again and again until ctx ends. It is
// Tailscale's own client on the peer that answers, whatever the peer lets this node reach. Ping waits for the network map, if
// one may be kept.
//
// It asks inside of WireGuard (TSMP), as the disco pings outside of it don't exist in browsers (startDiscoPingLocked of magicsock).
func (n *Node) Ping(ctx context.Context, host string) (Pong, error) {
	if err := n.ready(ctx); err != nil {
		return Pong{}, err
	}
	addr, err := n.addressOf(host)
	if err != nil {
		return Pong{}, err
	}
	peer, ok := n.backend.PeerForIP(addr)
	if !ok {
		return Pong{}, fmt.Errorf("%w %q, or leads there", ErrNoPeer, addr)
	}
	if peer.IsSelf {
		return Pong{}, fmt.Errorf("%s is this device", host)
	}
	result, err := n.pingOnce(ctx, addr)
	for errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		result, err = n.pingOnce(ctx, addr)
	}
	if err != nil {
		return Pong{}, err
	}
	n.mark(PeerAnswered)
	// The first answer may have taken the time to open a session as well.
	if again, err := n.pingOnce(ctx, addr); err == nil {
		result = again
	}
	return n.pong(peer, result), nil
}

func (n *Node) pingOnce(ctx context.Context, addr netip.Addr) (*ipnstate.PingResult, error) {
	ctx, cancel := context.WithTimeout(ctx, pingEvery)
	defer cancel()
	result, err := n.backend.Ping(ctx, addr, tailcfg.PingTSMP, 0)
	if err == nil && result.Err != "" {
		err = errors.New(result.Err)
	}
	return result, err
}

// pong adds the way to a result, which lacks it.
func (n *Node) pong(peer wgengine.PeerForIP, result *ipnstate.PingResult) Pong {
	p := Pong{Latency: time.Duration(result.LatencySeconds * float64(time.Second))}
	var builder ipnstate.StatusBuilder
	builder.WantPeers = true
	n.engine.UpdateStatus(&builder)
	if status := builder.Status().Peer[peer.Node.Key()]; status != nil {
		p.PeerRelay, p.Endpoint = status.PeerRelay, status.CurAddr
	}
	if p.PeerRelay == "" && p.Endpoint == "" {
		p.Relay = peer.Node.HomeDERP()
	}
	return p
}

// addressOf returns the address that host is, or that the peer of that name has.
func (n *Node) addressOf(host string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr, nil
	}
	if nm := n.Netmap(); nm != nil {
		for _, p := range nm.Peers {
			if isName(host, p.Name()) && p.Addresses().Len() > 0 {
				return p.Addresses().At(0).Addr(), nil
			}
		}
	}
	return netip.Addr{}, fmt.Errorf("%w %q", ErrNoPeer, host)
}
