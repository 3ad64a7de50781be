package node

import (
	"runtime"
	"sync"

	"tailscale.com/net/packet"
	"tailscale.com/net/tstun"
	"tailscale.com/types/ipproto"
	"tailscale.com/wgengine/filter"
	"tailscale.com/wgengine/netstack/gro"
)

// mostGathered is how many packets wait for others at most. With 8 or 48 a transfer takes as much of the processor.
const mostGathered = 16

// A gatherer gives the network stack the TCP packets from peers together that come while the program has work to do. The stack
// acknowledges at once what it was given. One by one it would acknowledge each packet, and to seal and send an answer costs
// nearly as much as the packet did: to gather them saved 22 to 25% of the worker's processor time in a download (docs/performance.md).
type gatherer struct {
	inject tstun.GROFilterFunc // gives a packet to the network stack

	mu      sync.Mutex
	packets [mostGathered][]byte // used again and again
	waiting int                  // how many of them wait, in order
}

// gather has packets gathered on their way from tun to its network stack.
func gather(tun *tstun.Wrapper) *gatherer {
	g := &gatherer{inject: tun.PostFilterPacketInboundFromWireGuard}
	tun.PostFilterPacketInboundFromWireGuard = g.take
	return g
}

// take is a [tstun.GROFilterFunc]. The bytes of p are only lent.
func (g *gatherer) take(p *packet.Parsed, tun *tstun.Wrapper, with *gro.GRO) (filter.Response, *gro.GRO) {
	if p.IPProto != ipproto.TCP {
		return g.inject(p, tun, with)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.packets[g.waiting] = append(g.packets[g.waiting][:0], p.Buffer()...)
	g.waiting++
	switch g.waiting {
	case 1:
		go func() {
			runtime.Gosched() // in browsers, where nothing runs beside it, until all else waits
			g.mu.Lock()
			defer g.mu.Unlock()
			g.passLocked(tun)
		}()
	case mostGathered:
		g.passLocked(tun)
	}
	return filter.DropSilently, with // as the network stack says of what it takes
}

// passLocked passes on what waits. The stack copies it.
func (g *gatherer) passLocked(tun *tstun.Wrapper) {
	var p packet.Parsed
	var together *gro.GRO
	for _, buf := range g.packets[:g.waiting] {
		p.Decode(buf)
		_, together = g.inject(&p, tun, together)
	}
	if together != nil {
		together.Flush()
	}
	g.waiting = 0
}
