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

// An exit is the peer through which a node reaches what lies beyond the tailnet. It is chosen by look.
type exit struct {
	seen    mapSeen              // the network map in which it was looked for last
	id      tailcfg.StableNodeID // empty if there is none
	problem error                // why there is none, though one is asked for
}

// A mapSeen tells a network map from others.
type mapSeen struct {
	cached       bool
	full, deltas int // how much control had sent
}

// chooseExit has the backend use the exit node that was asked for, if the network map has changed since it last did, and returns
// why there is no way out of the tailnet though one was asked for. The option may name a peer, and peers come and go, so this
// takes a network map.
func (n *Node) chooseExit(seen mapSeen) error {
	if n.opts.ExitNode == "" {
		return nil
	}
	if seen == n.exit.seen {
		return n.exit.problem
	}
	n.exit.seen = seen
	id, err := n.findExit()
	if id != n.exit.id {
		prefs := &ipn.MaskedPrefs{Prefs: ipn.Prefs{ExitNodeID: id}, ExitNodeIDSet: true}
		if _, editErr := n.backend.EditPrefs(prefs); editErr != nil {
			id, err = "", fmt.Errorf("%w: %w", ErrExitNode, editErr)
		}
	}
	n.exit.id, n.exit.problem = id, err
	return err
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

// noExit returns why there is no way out of the tailnet though one was asked for, as far as the state tells.
func (n *Node) noExit() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.exitProblem
}
