package node

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/netmapcache/netmapcache/wasm/netmapjson"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// News is what differs between two network maps, or all of one. Its JSON is that of package netmapjson: as the JavaScript module
// has it, with strings in place of numbers that JavaScript would round. The parts that are empty are left out.
type News struct {
	Whole bool `json:"whole"` // it is all of a network map: what was told before is void
	Live  bool `json:"live"`  // the network map came from control, not from the cache

	Netmap json.RawMessage        `json:"netmap,omitempty"` // all but peers and users, if any of it differs
	Peers  []any                  `json:"peers,omitempty"`  // those that are new or differ
	Gone   []netmapjson.Integer   `json:"gone,omitempty"`   // IDs of peers that are no more
	Users  map[tailcfg.UserID]any `json:"users,omitempty"`  // those that are new or differ; nil for those that are no more
}

// A Follower tells what is new in the network maps of one node, each time in relation to the time before. Peers
// and users are compared as pointers: the backend keeps those that stay the same. It must not be used concurrently.
type Follower struct {
	netmap *netmap.NetworkMap // that was told last; nil if none
	rest   []byte             // of it without peers and users, as JSON
}

// Next returns the JSON of the [News] of nm, which are all of it if that is wanted, or if nothing was told before or
// that came from elsewhere, cache or control. It returns nil if nm is nil; then the next news are whole. After
// an error they are those since the last success.
func (f *Follower) Next(nm *netmap.NetworkMap, whole bool) ([]byte, error) {
	if nm == nil {
		*f = Follower{}
		return nil, nil
	}
	copied := *nm
	copied.Peers, copied.UserProfiles = nil, nil
	rest, err := netmapjson.Marshal(&copied)
	if err != nil {
		return nil, fmt.Errorf("network map as JSON: %w", err)
	}
	last := *f
	if whole || last.netmap == nil || last.netmap.Cached != nm.Cached {
		last = Follower{netmap: &netmap.NetworkMap{}}
		whole = true
	}
	news := &News{Whole: whole, Live: !nm.Cached}
	if !bytes.Equal(rest, last.rest) {
		news.Netmap = rest
	}
	news.Peers, news.Gone = differing(last.netmap.Peers, nm.Peers)
	news.Users = differingUsers(last.netmap.UserProfiles, nm.UserProfiles)
	text, err := json.Marshal(news)
	if err != nil {
		return nil, fmt.Errorf("news of the network map as JSON: %w", err)
	}
	*f = Follower{nm, rest}
	return text, nil
}

// differing returns the peers of after that before has not, and the IDs of those that before alone has. Both are in order of IDs.
func differing(before, after []tailcfg.NodeView) (changed []any, gone []netmapjson.Integer) {
	for _, peer := range after {
		for len(before) > 0 && before[0].ID() < peer.ID() {
			gone = append(gone, netmapjson.Integer(before[0].ID()))
			before = before[1:]
		}
		if len(before) > 0 && before[0].ID() == peer.ID() {
			same := before[0] == peer
			before = before[1:]
			if same {
				continue
			}
		}
		changed = append(changed, netmapjson.Node(peer))
	}
	for _, peer := range before {
		gone = append(gone, netmapjson.Integer(peer.ID()))
	}
	return changed, gone
}

func differingUsers(before, after map[tailcfg.UserID]tailcfg.UserProfileView) map[tailcfg.UserID]any {
	changed := map[tailcfg.UserID]any{}
	for id, user := range after {
		if was, ok := before[id]; !ok || was != user {
			changed[id] = netmapjson.Profile(user)
		}
	}
	for id := range before {
		if _, ok := after[id]; !ok {
			changed[id] = nil
		}
	}
	return changed
}
