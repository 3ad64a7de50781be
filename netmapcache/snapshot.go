package netmapcache

import (
	"maps"
	"slices"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// A snapshot is a netmap as a Cache stores it: divided into columns. Snapshots and
// their columns are immutable. Successive snapshots share what is equal.
type snapshot struct {
	single [format.KindSSH + 1]*column // by kind; nil if there is none
	peers  list[tailcfg.NodeView]
	users  list[user]

	given given // what peers and users were made of
}

// given is what Cache.Store was given. It makes it cheap to see that the next netmap has
// the same. The fields are nil if the snapshot was made in another way.
type given struct {
	peers []tailcfg.NodeView
	parts []uint32 // the part of each of peers
	users map[tailcfg.UserID]tailcfg.UserProfileView
}

// A column is one column of a snapshot.
type column struct {
	format.Column        // its entry in the root
	key           string // the key in the store

	data   []byte                  // nil if encode can make it again
	encode func(dst []byte) []byte // appends data, for a part of a list
	of     any                     // if not nil, a value whose identity stands for the content
}

// newColumn returns a column with the content data. It sets the digest and the size of entry.
func newColumn(entry format.Column, data []byte) *column {
	entry.Digest, entry.Size = digestOf(data), uint64(len(data))
	return &column{Column: entry, key: columnKey(entry), data: data}
}

// columns returns the columns of s in the root's order.
func (s *snapshot) columns() []*column {
	all := make([]*column, 0, len(s.single)+len(s.peers.columns)+len(s.users.columns))
	for _, columns := range [][]*column{s.single[:], s.peers.columns, s.users.columns} {
		for _, c := range columns {
			if c != nil {
				all = append(all, c)
			}
		}
	}
	return all
}

// withoutBytes returns s without the bytes that encode can make again, since a Cache remembers
// its last snapshot as long as it lives.
func (s *snapshot) withoutBytes() *snapshot {
	next := *s
	next.peers.columns = columnsWithoutBytes(s.peers.columns)
	next.users.columns = columnsWithoutBytes(s.users.columns)
	return &next
}

func columnsWithoutBytes(columns []*column) []*column {
	next := slices.Clone(columns)
	for i, c := range next {
		if c != nil && c.data != nil {
			without := *c
			without.data = nil
			next[i] = &without
		}
	}
	return next
}

// copy returns a copy of s, which the caller changes into the next snapshot. s may be nil.
func (s *snapshot) copy() *snapshot {
	next := &snapshot{}
	if s != nil {
		*next = *s
	}
	return next
}

// with returns a snapshot of nm. It shares with s what is equal. s may be nil.
func (s *snapshot) with(nm *netmap.NetworkMap) *snapshot {
	next := s.withSelf(nm)
	last := next.given
	if last.peers == nil || nm.Peers == nil || !slices.Equal(last.peers, nm.Peers) {
		next.peers, next.given.parts = dividePeers(nm.Peers, last, next.peers)
		next.given.peers = slices.Clone(nm.Peers)
	}
	if last.users == nil || nm.UserProfiles == nil || !maps.Equal(last.users, nm.UserProfiles) {
		next.users = userOps.divide(usersOf(nm.UserProfiles), next.users)
		next.given.users = maps.Clone(nm.UserProfiles)
	}
	return next
}

// withSelf returns a copy of s with all of nm except the peers
// and users. s may be nil.
func (s *snapshot) withSelf(nm *netmap.NetworkMap) *snapshot {
	next := s.copy()
	set := func(kind format.Kind, present bool, of any, encode func([]byte) []byte) {
		old := next.single[kind]
		switch {
		case !present:
			next.single[kind] = nil
		case old == nil || of == nil || old.of != of:
			c := newColumn(format.Column{Kind: kind, Count: 1}, encode(nil))
			c.of = of
			next.single[kind] = c
		}
	}
	misc := miscOf(nm)
	set(format.KindNode, true, nm.SelfNode, func(b []byte) []byte { return codec.AppendNode(b, nm.SelfNode) })
	set(format.KindMisc, true, nil, func(b []byte) []byte { return codec.AppendMisc(b, &misc) })
	set(format.KindDNS, true, nil, func(b []byte) []byte { return codec.AppendDNS(b, &nm.DNS) })
	set(format.KindDERPMap, nm.DERPMap != nil, nm.DERPMap, func(b []byte) []byte { return codec.AppendDERPMap(b, nm.DERPMap) })
	set(format.KindSSH, nm.SSHPolicy != nil, nm.SSHPolicy, func(b []byte) []byte { return codec.AppendSSH(b, nm.SSHPolicy) })
	return next.withFilter(nm.PacketFilterRules)
}

// withFilter returns a copy of s with another packet filter.
func (s *snapshot) withFilter(rules views.Slice[tailcfg.FilterRule]) *snapshot {
	next := s.copy()
	var of any
	if rules.Len() > 0 { // all empty slices have one key
		of = rules.MapKey()
	}
	switch old := next.single[format.KindFilter]; {
	case rules.IsNil():
		next.single[format.KindFilter] = nil
	case old == nil || of == nil || old.of != of:
		data := codec.AppendFilter(nil, rules.AppendTo([]tailcfg.FilterRule{}))
		c := newColumn(format.Column{Kind: format.KindFilter, Count: uint64(rules.Len())}, data)
		c.of = of
		next.single[format.KindFilter] = c
	}
	return next
}

// withPeers returns a copy of s with peers added, replaced and removed.
func (s *snapshot) withPeers(changes map[tailcfg.StableNodeID]peerEdit) *snapshot {
	next := s.copy()
	next.given.peers, next.given.parts = nil, nil
	edits := make(map[tailcfg.StableNodeID]func([]tailcfg.NodeView) []tailcfg.NodeView, len(changes))
	for id, e := range changes {
		edits[id] = func(peers []tailcfg.NodeView) []tailcfg.NodeView { return e.apply(id, peers) }
	}
	next.peers = peerOps.edit(next.peers, edits)
	return next
}

// withUsers returns a copy of s in which user profiles are added or replaced.
func (s *snapshot) withUsers(update map[tailcfg.UserID]tailcfg.UserProfileView) *snapshot {
	next := s.copy()
	next.given.users = nil
	edits := make(map[tailcfg.UserID]func([]user) []user, len(update))
	for id, profile := range update {
		edits[id] = func([]user) []user { return []user{{id, profile}} }
	}
	next.users = userOps.edit(next.users, edits)
	return next
}

func miscOf(nm *netmap.NetworkMap) format.Misc {
	return format.Misc{
		MachineKey:       nm.MachineKey,
		CollectServices:  nm.CollectServices,
		DisplayMessages:  nm.DisplayMessages,
		TKAEnabled:       nm.TKAEnabled,
		TKAHead:          nm.TKAHead,
		Domain:           nm.Domain,
		DomainAuditLogID: nm.DomainAuditLogID,
		Unknown:          codec.UnknownNetmapFields(nm),
	}
}

func setMisc(nm *netmap.NetworkMap, m *format.Misc) {
	nm.MachineKey = m.MachineKey
	nm.CollectServices = m.CollectServices
	nm.DisplayMessages = m.DisplayMessages
	nm.TKAEnabled = m.TKAEnabled
	nm.TKAHead = m.TKAHead
	nm.Domain = m.Domain
	nm.DomainAuditLogID = m.DomainAuditLogID
	codec.SetUnknownNetmapFields(nm, m.Unknown)
}

// A user is an entry of NetworkMap.UserProfiles.
type user struct {
	id      tailcfg.UserID
	profile tailcfg.UserProfileView
}

// usersOf returns the valid entries of profiles, or nil if it is nil.
func usersOf(profiles map[tailcfg.UserID]tailcfg.UserProfileView) []user {
	if profiles == nil {
		return nil
	}
	users := make([]user, 0, len(profiles))
	for id, p := range profiles {
		if p.Valid() {
			users = append(users, user{id, p})
		}
	}
	return users
}
