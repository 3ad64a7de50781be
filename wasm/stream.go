//go:build js && wasm

package main

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"tailscale.com/tailcfg"
)

// How many peers a piece of a netmap has. The first one has as many as fit on a screen. The
// others are some hundred kilobytes of JSON, which JavaScript reads in a few milliseconds.
const (
	peersAtFirst = 100
	peersAtOnce  = 256
)

// A piece is some of the peers of a netmap, with the profiles of their users, unless these were in a piece before; the
// last one has all other profiles as well.
type piece struct {
	Netmap json.RawMessage             `json:"netmap,omitempty"` // all but peers and profiles, in the first piece
	Total  int                         `json:"total"`            // peers in all pieces
	Peers  []*node                     `json:"peers"`
	Users  map[tailcfg.UserID]*profile `json:"users"`
}

// stream passes a netmap in pieces, its peers in order of their names.
func (c *cache) stream(call call) error {
	k, err := c.current(call.ctx)
	if err != nil {
		return err
	}
	rest := *k.netmap
	rest.UserProfiles = nil
	head, err := marshalNetmap(&rest, false)
	if err != nil {
		return err
	}
	peers := byName(k.netmap.Peers)
	users := maps.Clone(k.netmap.UserProfiles) // those that no piece has had
	p := piece{Netmap: json.RawMessage(head), Total: len(peers)}
	take := func(id tailcfg.UserID) {
		if u, ok := users[id]; ok {
			p.Users[id] = profileOf(u)
			delete(users, id)
		}
	}
	for n := peersAtFirst; ; n = peersAtOnce {
		if err := call.ctx.Err(); err != nil {
			return err
		}
		some := peers[:min(n, len(peers))]
		peers = peers[len(some):]
		p.Peers, p.Users = nodesOf(some), make(map[tailcfg.UserID]*profile)
		if p.Netmap != nil {
			take(rest.User())
		}
		for _, peer := range some {
			take(peer.User())
			take(peer.Sharer())
		}
		if len(peers) == 0 {
			for id := range users {
				take(id)
			}
		}
		text, err := marshal(p)
		if err != nil {
			return err
		}
		call.part(text)
		if len(peers) == 0 {
			return nil
		}
		p.Netmap = nil
	}
}

// byName returns peers in order of their names, those of one name as they are.
func byName(peers []tailcfg.NodeView) []tailcfg.NodeView {
	type place struct {
		key string
		i   int
	}
	order := make([]place, len(peers))
	for i, p := range peers {
		order[i] = place{nameKey(nodeName(p)), i}
	}
	slices.SortFunc(order, func(a, b place) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.i, b.i))
	})
	sorted := make([]tailcfg.NodeView, len(peers))
	for i, p := range order {
		sorted[i] = peers[p.i]
	}
	return sorted
}

// nodeName returns what people call a node: the first label of its name, or
// else the name that its host has, or its stable ID.
func nodeName(p tailcfg.NodeView) string {
	name, _, _ := strings.Cut(p.Name(), ".")
	if name == "" && p.Hostinfo().Valid() {
		name = p.Hostinfo().Hostname()
	}
	return cmp.Or(name, string(p.StableID()))
}

// nameKey returns a string by which names sort as people expect: without regard to the case of ASCII letters,
// and numbers by their value. A number becomes a zero, the count of its digits and these, so that
// it still sorts among other characters as digits do. JavaScript compares UTF-16 units, in which all
// beyond U+FFFF comes before U+E000: here that takes other first bytes.
func nameKey(name string) string {
	key := make([]byte, 0, len(name)+8)
	for name != "" {
		rest := strings.TrimLeft(name, "0123456789")
		if digits := name[:len(name)-len(rest)]; digits != "" {
			digits = cmp.Or(strings.TrimLeft(digits, "0"), "0")
			key = append(key, '0', byte(min(len(digits), 127)))
			key = append(key, digits...)
			name = rest
			continue
		}
		switch c := name[0]; {
		case 'A' <= c && c <= 'Z':
			key = append(key, c+'a'-'A')
		case c == 0xee || c == 0xef:
			key = append(key, c+0x10)
		default:
			key = append(key, c)
		}
		name = name[1:]
	}
	return string(key)
}
