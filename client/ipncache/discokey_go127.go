//go:build go1.27

package ipncache

import (
	"tailscale.com/tailcfg"
	"tailscale.com/util/eventbus"
)

// A discoKey does nothing here. From v1.104 on, which needs Go 1.27, tailscale.com sends the key with each WireGuard handshake, and has
// no event for it.
type discoKey struct{}

func newDiscoKey(*eventbus.Client) discoKey { return discoKey{} }

func (discoKey) tell(tailcfg.NodeView) {}
