//go:build !go1.27

package ipncache

import (
	"tailscale.com/tailcfg"
	"tailscale.com/util/eventbus"
	"tailscale.com/wgengine/magicsock"
)

// A discoKey makes the engine send this node's disco key to a peer.
type discoKey struct {
	publisher *eventbus.Publisher[magicsock.NewDiscoKeyAvailable]
}

func newDiscoKey(bus *eventbus.Client) discoKey {
	return discoKey{eventbus.Publish[magicsock.NewDiscoKeyAvailable](bus)}
}

func (d discoKey) tell(peer tailcfg.NodeView) {
	d.publisher.Publish(magicsock.NewDiscoKeyAvailable{NodeFirstAddr: peer.Addresses().At(0).Addr(), NodeID: peer.ID()})
}
