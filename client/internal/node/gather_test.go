package node

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"tailscale.com/net/packet"
	"tailscale.com/net/tstun"
	"tailscale.com/types/ipproto"
	"tailscale.com/wgengine/filter"
	"tailscale.com/wgengine/netstack/gro"
)

// TestGather gives packets whose bytes are overwritten by the next. All have to be passed on, in order.
func TestGather(t *testing.T) {
	for _, test := range []struct {
		name  string
		proto ipproto.Proto
		count int
		after int // how many are passed on at least before anything waits
	}{
		{name: "one", proto: ipproto.TCP, count: 1},
		{name: "a few", proto: ipproto.TCP, count: mostGathered - 1},
		{name: "as many as wait", proto: ipproto.TCP, count: mostGathered, after: 1},
		{name: "many", proto: ipproto.TCP, count: 3*mostGathered + 1, after: 2*mostGathered + 2},
		{name: "of another kind", proto: ipproto.UDP, count: 3, after: 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []byte
				tun := &tstun.Wrapper{PostFilterPacketInboundFromWireGuard: func(p *packet.Parsed, _ *tstun.Wrapper, _ *gro.GRO) (filter.Response, *gro.GRO) {
					got = append(got, p.Payload()[0])
					return filter.DropSilently, nil
				}}
				g := gather(tun)
				lent := make([]byte, 41)
				var want []byte
				for i := range test.count {
					makePacket(lent, test.proto, byte(i))
					var p packet.Parsed
					p.Decode(lent)
					if response, _ := tun.PostFilterPacketInboundFromWireGuard(&p, tun, nil); response != filter.DropSilently {
						t.Fatalf("packet %d: %v", i, response)
					}
					want = append(want, byte(i))
				}
				g.mu.Lock()
				if len(got) < test.after {
					t.Errorf("%d packets were passed on at once, want %d", len(got), test.after)
				}
				g.mu.Unlock()
				synctest.Wait()
				if !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		})
	}
}

// makePacket makes a packet of a protocol with a byte of payload.
func makePacket(buf []byte, proto ipproto.Proto, payload byte) {
	header := packet.IP4Header{IPProto: proto, Src: netip.MustParseAddr("100.64.0.1"), Dst: netip.MustParseAddr("100.64.0.2")}
	clear(buf)
	buf[20+12] = 5 << 4 // the length of a TCP header
	if proto == ipproto.UDP {
		buf[20+5] = 21
		buf[28] = payload
	}
	buf[40] = payload
	if err := header.Marshal(buf); err != nil {
		panic(err)
	}
}
