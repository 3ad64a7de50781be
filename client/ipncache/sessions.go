package ipncache

import (
	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
)

// A node that is started again has a new disco key. When a peer learns the new key from control, it takes its WireGuard session
// with the node for an old one and forgets it, unless it has learned the key through that session. This end
// isn't told, and WireGuard misses an answer only after 15 seconds (KeepaliveTimeout and RekeyTimeout of wireguard-go).
// So each peer with which a session begins before control is there is sent the key. Magicsock would do so through the engine, but not if it is
// built with ts_omit_cachenetmap. Sessions are not begun anew when control is there, although control's word may have reached the peer before
// the key: in a browser, where control comes half a second after the first session, that cost each session 5 seconds.

// sessionsChanged notes the WireGuard sessions that begin while control is away.
func (n *notes) sessionsChanged(changed map[tailcfg.StableNodeID]ipn.PeerState) {
	if n.sessions == nil {
		return
	}
	for id, state := range changed {
		switch state.PeerWireGuardState {
		case ipn.PeerWireGuardStateHandshake, ipn.PeerWireGuardStateEstablished:
			if _, known := n.sessions[id]; !known {
				n.sessions[id] = false
			}
		default:
			delete(n.sessions, id)
		}
	}
}

// tendSessions sends peers the disco key until control is there.
func (e *extension) tendSessions() {
	nm := e.lb.NetMapNoPeers()
	tell := map[tailcfg.StableNodeID]bool{}
	e.mu.Lock()
	for id, told := range e.notes.sessions {
		if !told {
			tell[id] = true
			e.notes.sessions[id] = true
		}
	}
	if nm != nil && !nm.Cached {
		e.notes.sessions = nil
	}
	e.mu.Unlock()
	if len(tell) == 0 {
		return
	}
	if nm = e.lb.NetMapWithPeers(); nm == nil {
		return // logged out meanwhile
	}
	for _, p := range nm.Peers {
		if tell[p.StableID()] && p.Addresses().Len() > 0 {
			e.discoKey.tell(p)
		}
	}
}
