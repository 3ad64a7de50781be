package node

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestPing asks peers for a sign of life: one that runs, one that is only an entry in the network map, and none.
func TestPing(t *testing.T) {
	r := newRig(t)
	r.friend() // which may open nothing here, nor need it
	d := r.start()
	d.awaitSaved()

	isFriend := func(name string) bool { return isName("friend", name) }
	silent, address := "", ""
	d.await("the friend among the peers", func(State, []Mark) bool {
		for _, p := range d.Netmap().Peers {
			if isFriend(p.Name()) {
				address = p.Addresses().At(0).Addr().String()
			} else if !p.IsWireGuardOnly() { // those are asked directly, outside of this machine
				silent = strings.TrimSuffix(p.Name(), ".")
			}
		}
		return address != ""
	})
	for _, host := range []string{"friend", "FRIEND", address} {
		pong, err := d.ping(patience, host)
		if err != nil || pong.Latency <= 0 || pong.Relay == 0 || pong.Endpoint != "" {
			t.Errorf("ping %s: %+v, %v; want an answer by a relay", host, pong, err)
		} else if relay := d.Netmap().DERPMap.Regions[pong.Relay]; relay == nil {
			t.Errorf("ping %s: answered by relay %d, which the network map lacks", host, pong.Relay)
		}
	}
	self := d.Netmap().SelfNode.Addresses().At(0).Addr().String()
	for host, want := range map[string]string{
		"nobody":    `no peer is called "nobody"`,
		"192.0.2.1": `no peer is called "192.0.2.1", or leads there`,
		self:        self + " is this device",
	} {
		if _, err := d.ping(patience, host); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ping %s: %v, want %q", host, err, want)
		}
	}
	if _, err := d.ping(3*pingEvery/2, silent); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ping a peer that doesn't answer: %v, want the deadline", err)
	}
}

// ping asks a peer for a sign of life, for so long at most.
func (d *device) ping(limit time.Duration, host string) (Pong, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), limit)
	defer cancel()
	return d.Ping(ctx, host)
}
