package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"
)

// pingEvery is how long an answer is waited for before the peer is asked again: what a relay gets while the peer, or this node,
// connects to it is lost.
const pingEvery = 2 * time.Second

// Pong is a peer's answer to a ping.
type Pong struct {
	Latency   time.Duration // from the ping to the answer
	Relay     int           // the ID of the relay that both passed, or 0
	PeerRelay string        // the address of the peer that passed both on, if one did
	Endpoint  string        // where the peer answered from, if nobody passed that on
}

// Ping asks a peer, by its name in the tailnet or its address, for a sign of life, again and again until ctx ends. It is
// Tailscale's own client on the peer that answers, whatever the peer lets this node reach. Ping waits for the network map, if
// one may be kept.
func (n *Node) Ping(ctx context.Context, host string) (Pong, error) {
	if err := n.reaches(ctx); err != nil {
		return Pong{}, err
	}
	addr, err := n.addressOf(host)
	if err != nil {
		return Pong{}, err
	}
	for {
		result, err := n.pingOnce(ctx, addr)
		switch {
		case ctx.Err() != nil:
			return Pong{}, ctx.Err()
		case err != nil: // no answer yet
		case result.IsLocalIP:
			return Pong{}, fmt.Errorf("%s is this device", host)
		case result.Err == "no matching peer":
			return Pong{}, fmt.Errorf("no peer has, or leads to, the address %v", addr)
		case result.Err != "":
			return Pong{}, errors.New(result.Err)
		default:
			n.mark(PeerAnswered)
			latency := time.Duration(result.LatencySeconds * float64(time.Second))
			return Pong{latency, result.DERPRegionID, result.PeerRelay, result.Endpoint}, nil
		}
	}
}

func (n *Node) pingOnce(ctx context.Context, addr netip.Addr) (*ipnstate.PingResult, error) {
	ctx, cancel := context.WithTimeout(ctx, pingEvery)
	defer cancel()
	return n.backend.Ping(ctx, addr, tailcfg.PingDisco, 0)
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
	return netip.Addr{}, fmt.Errorf("no peer is called %q", host)
}
