package node

import (
	"errors"
	"fmt"
	"net/netip"

	"tailscale.com/ipn"
	"tailscale.com/net/tsaddr"
	"tailscale.com/tailcfg"
)

// ErrExitNode is reported for what lies beyond the tailnet, while the exit node that was asked for can't be used.
var ErrExitNode = errors.New("the exit node can't be used")

// An exit is the peer through which a node reaches what lies beyond the tailnet.
type exit struct {
	seen    State                // that of the network map in which it was looked for last
	id      tailcfg.StableNodeID // empty if there is none
	problem error                // why there is none, though one is asked for
}

// chooseExit has the backend use the exit node that was asked for, if the network map has changed since it last did. The
// option may name a peer, and peers come and go, so this takes a network map.
func (n *Node) chooseExit(now State) {
	if n.opts.ExitNode == "" {
		return
	}
	n.exiting.Lock()
	defer n.exiting.Unlock()
	if seen := n.exit.seen; seen.FullMaps == now.FullMaps && seen.Deltas == now.Deltas && seen.Phase == now.Phase {
		return
	}
	n.exit.seen = now
	id, err := n.findExit()
	if id != n.exit.id {
		prefs := &ipn.MaskedPrefs{Prefs: ipn.Prefs{ExitNodeID: id}, ExitNodeIDSet: true}
		if _, editErr := n.backend.EditPrefs(prefs); editErr != nil {
			id, err = "", fmt.Errorf("%w: %w", ErrExitNode, editErr)
		}
	}
	n.exit.id, n.exit.problem = id, err
}

// findExit returns the peer that the option means, by its name, one of its addresses or its stable ID.
func (n *Node) findExit() (tailcfg.StableNodeID, error) {
	wanted := n.opts.ExitNode
	addr, _ := netip.ParseAddr(wanted)
	nm := n.Netmap()
	if nm == nil {
		return "", nil
	}
	for _, p := range nm.Peers {
		switch {
		case string(p.StableID()) == wanted, isName(wanted, p.Name()):
		case addr.IsValid() && p.Addresses().ContainsFunc(func(a netip.Prefix) bool { return a.Addr() == addr }):
		default:
			continue
		}
		if !tsaddr.ContainsExitRoutes(p.AllowedIPs()) {
			return "", fmt.Errorf("%w: the peer %q offers no way out", ErrExitNode, wanted)
		}
		return p.StableID(), nil
	}
	return "", fmt.Errorf("%w: no peer is called %q", ErrExitNode, wanted)
}

// exitProblem returns why there is no way out of the tailnet though one was asked for.
func (n *Node) exitProblem() error {
	n.exiting.Lock()
	defer n.exiting.Unlock()
	return n.exit.problem
}
