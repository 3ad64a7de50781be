package netmapcache

import (
	"context"
	jsonv1 "encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// Upstream's layout, of tailscale.com v1.102, has a JSON object under each of the keys below
// and one for the self node under rootKey. Each object holds one field, of the same
// name as here, except that the miscellaneous fields are together in one.
const (
	upstreamMisc       = "msic" // as it is spelled there
	upstreamDNS        = "dns"
	upstreamDERPMap    = "derpmap"
	upstreamFilter     = "filter"
	upstreamSSH        = "ssh"
	upstreamPeerPrefix = "peer-" // and a stable ID
	upstreamUserPrefix = "user-" // and a user ID
)

type upstreamNode struct{ Node *tailcfg.Node }

type upstreamUser struct{ UserProfile *tailcfg.UserProfile }

// upstreamFields are the values that upstream has one of, except the self node.
type upstreamFields struct {
	format.Misc

	DNS       tailcfg.DNSConfig
	DERPMap   *tailcfg.DERPMap
	SSHPolicy *tailcfg.SSHPolicy
	Rules     views.Slice[tailcfg.FilterRule]
}

// isUpstream reports whether value, the value of the root key, is of upstream's layout.
func isUpstream(value []byte) bool {
	return len(value) > 0 && value[0] == '{'
}

// isUpstreamKey reports whether key is of upstream's layout, except rootKey.
func isUpstreamKey(key string) bool {
	switch key {
	case upstreamMisc, upstreamDNS, upstreamDERPMap, upstreamFilter, upstreamSSH:
		return true
	}
	return strings.HasPrefix(key, upstreamPeerPrefix) || strings.HasPrefix(key, upstreamUserPrefix)
}

// readUpstream reads a netmap in upstream's layout from s. self is the value of
// the root key. Absent keys count as empty, as they do for upstream.
// The layout contains neither owner nor time.
func (c *Cache) readUpstream(ctx context.Context, s store.Store, self []byte) (*netmap.NetworkMap, *observation, error) {
	var selfNode upstreamNode
	if err := decodeUpstream(rootKey, self, &selfNode); err != nil {
		return nil, nil, err
	} else if selfNode.Node == nil {
		return nil, nil, corrupt(rootKey, "no self node")
	}
	if c.owner != "" {
		return nil, nil, fmt.Errorf("netmapcache: owner is not known: %w", ErrWrongOwner)
	}
	if c.maxAge > 0 {
		return nil, nil, fmt.Errorf("netmapcache: age is not known: %w", ErrExpired)
	}

	var fields upstreamFields
	fixed := []string{upstreamMisc, upstreamDNS, upstreamDERPMap, upstreamFilter, upstreamSSH}
	if err := loadUpstream(ctx, s, fixed, func(key string, data []byte) error {
		return decodeUpstream(key, data, &fields)
	}); err != nil {
		return nil, nil, err
	}
	nm := &netmap.NetworkMap{
		Cached:            true,
		SelfNode:          selfNode.Node.View(),
		DNS:               fields.DNS,
		DERPMap:           fields.DERPMap,
		SSHPolicy:         fields.SSHPolicy,
		PacketFilterRules: fields.Rules,
	}
	setMisc(nm, &fields.Misc)
	restoreDisplayNames(selfNode.Node)

	if err := eachUpstream(ctx, s, upstreamPeerPrefix, func(key string, data []byte) error {
		var peer upstreamNode
		if err := decodeUpstream(key, data, &peer); err != nil {
			return err
		} else if peer.Node == nil {
			return corrupt(upstreamName(key), "no node")
		}
		restoreDisplayNames(peer.Node)
		nm.Peers = append(nm.Peers, peer.Node.View())
		return nil
	}); err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(nm.Peers, comparePeers)

	if err := eachUpstream(ctx, s, upstreamUserPrefix, func(key string, data []byte) error {
		var u upstreamUser
		if err := decodeUpstream(key, data, &u); err != nil {
			return err
		} else if u.UserProfile == nil {
			return corrupt(upstreamName(key), "no user profile")
		}
		if nm.UserProfiles == nil {
			nm.UserProfiles = make(map[tailcfg.UserID]tailcfg.UserProfileView)
		}
		nm.UserProfiles[u.UserProfile.ID] = u.UserProfile.View()
		return nil
	}); err != nil {
		return nil, nil, err
	}
	if err := derive(nm); err != nil {
		return nil, nil, err
	}
	return nm, &observation{value: self, base: (*snapshot)(nil).with(nm), upstream: true}, nil
}

// eachUpstream calls decode for each key that begins with prefix.
func eachUpstream(ctx context.Context, s store.Store, prefix string, decode func(key string, data []byte) error) error {
	var keys []string
	for key, err := range s.List(ctx, prefix) {
		if err != nil {
			return storeError(prefix, err)
		}
		keys = append(keys, key)
	}
	return loadUpstream(ctx, s, keys, decode)
}

// loadUpstream calls decode for each of keys that the store holds.
func loadUpstream(ctx context.Context, s store.Store, keys []string, decode func(key string, data []byte) error) error {
	i := 0
	for data, err := range store.LoadMany(ctx, s, keys) {
		key := keys[i]
		i++
		if isNotFound(err) {
			continue
		} else if err != nil {
			return loadError(upstreamName(key), err)
		}
		if err := decode(key, data); err != nil {
			return err
		}
	}
	return nil
}

// decodeUpstream decodes data, the value of key, into v. It doesn't pass on errors of package json,
// since they quote the data.
func decodeUpstream(key string, data []byte, v any) error {
	if err := jsonv1.Unmarshal(data, v); err != nil {
		return corrupt(upstreamName(key), "not the JSON that belongs there")
	}
	return nil
}

// upstreamName returns the name of key for errors, which must not say whose
// value it is.
func upstreamName(key string) string {
	for _, prefix := range []string{upstreamPeerPrefix, upstreamUserPrefix} {
		if strings.HasPrefix(key, prefix) {
			return prefix + "*"
		}
	}
	return key
}
