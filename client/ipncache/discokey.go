//go:build !go1.27

package ipncache

import (
	"tailscale.com/tailcfg"
	"tailscale.com/util/eventbus"
	"tailscale.com/wgengine/magicsock"
)

// discoKey has the engine tell a peer this node's disco key.
type discoKey struct {
	publisher *eventbus.Publisher[magicsock.NewDiscoKeyAvailable]
}

func newDiscoKey(bus *eventbus.Client) discoKey {
	return discoKey{eventbus.Publish[magicsock.NewDiscoKeyAvailable](bus)}
}

func (d discoKey) tell(peer tailcfg.NodeView) {
	d.publisher.Publish(magicsock.NewDiscoKeyAvailable{NodeFirstAddr: peer.Addresses().At(0).Addr(), NodeID: peer.ID()})
}
