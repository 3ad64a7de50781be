package netmapcache

import (
	"fmt"
	"maps"
	"slices"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// A snapshot is a netmap as a Cache stores it. Snapshots are not changed once
// they are made, save by commit, and share what is equal.
type snapshot struct {
	value []byte       // of the root key where the snapshot is stored; else nil
	root  *format.Root // what value holds; nil if that is upstream's layout
	stamp *format.Root // if not nil, the owner and the times to store s with

	single [format.KindSSH + 1]*column // by kind; nil where there is none
	peers  list[tailcfg.NodeView]
	users  list[user]

	// The values that peers and users were made from by Store, to see at
	// little cost that the next ones are the same. Nil if made otherwise.
	givenPeers []tailcfg.NodeView
	givenUsers map[tailcfg.UserID]tailcfg.UserProfileView

	all  []*column       // what columns returns, once it was called
	keys map[string]bool // what keysOf returns, once all columns were encoded
}

// next returns a copy of s, which may be nil, to be changed into the next snapshot.
func (s *snapshot) next() *snapshot {
	next := &snapshot{}
	if s != nil {
		*next = *s
	}
	next.value, next.root, next.stamp = nil, nil, nil
	next.all, next.keys = nil, nil
	return next
}

// A column is one column of a snapshot. Its bytes are at hand, or can be made. As long as
// they weren't, the size in its entry is 0.
type column struct {
	format.Column        // its entry in the root
	storeKey      string // what key returns, once it was called

	data   []byte                  // nil for a part of a list, unless it is to be stored and was encoded already
	encode func(dst []byte) []byte // appends it again, for a part of a list
	of     any                     // if not nil, a value whose identity stands for the content
}

// newColumn returns the column of kind whose bytes encode appends. If of is not
// nil and is the one that old was made of, that is old.
func newColumn(old *column, kind format.Kind, of any, count int, encode func([]byte) []byte) *column {
	if old != nil && of != nil && old.of == of {
		return old
	}
	c := &column{Column: format.Column{Kind: kind, Count: uint64(count)}, of: of}
	c.set(encode(nil))
	return c
}

// key returns the key that c, which was encoded, is stored under.
func (c *column) key() string {
	if c.storeKey == "" {
		c.storeKey = columnKey(c.Column)
	}
	return c.storeKey
}

// set makes data the bytes of c.
func (c *column) set(data []byte) {
	c.data = data
	c.Digest = digestOf(data)
	c.Size = uint64(len(data))
}

// bytes returns the bytes of c, in *buf unless they are at hand.
func (c *column) bytes(buf *[]byte) []byte {
	if c.data != nil {
		return c.data
	}
	*buf = c.encode((*buf)[:0])
	if c.Size == 0 {
		c.Digest, c.Size = digestOf(*buf), uint64(len(*buf))
	}
	return *buf
}

// putColumns calls put with the columns of s whose keys are not good. It encodes those that were not
// encoded yet each when it is its turn. An error of its own tells of a column that is too large to be loaded again.
func (s *snapshot) putColumns(good map[string]bool, put func(store.Entry) error) error {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for _, c := range s.columns() {
		if c.Size > 0 && good[c.key()] {
			continue
		}
		data := c.bytes(buf) // on which the key depends
		if c.Size > codec.MaxBytes {
			return fmt.Errorf("%q: %d bytes are more than a column can have, %d", columnName(c.Column), c.Size, codec.MaxBytes)
		}
		if err := put(store.Entry{Key: c.key(), Value: data}); err != nil {
			return err
		}
	}
	return nil
}

// settle lets go of what isn't needed once s is stored.
func (s *snapshot) settle() {
	for _, c := range s.columns() {
		if c.encode != nil {
			c.data = nil
		}
	}
}

// columns returns the columns of s in the order of the root.
func (s *snapshot) columns() []*column {
	if s.all != nil {
		return s.all
	}
	all := make([]*column, 0, len(s.single)+len(s.peers.columns)+len(s.users.columns))
	for _, columns := range [][]*column{s.single[:], s.peers.columns, s.users.columns} {
		for _, c := range columns {
			if c != nil {
				all = append(all, c)
			}
		}
	}
	s.all = all
	return all
}

// withSelf returns a copy of s, which may be nil, with all of nm but the peers
// and users.
func (s *snapshot) withSelf(nm *netmap.NetworkMap) *snapshot {
	next := s.next()
	set := func(kind format.Kind, present bool, of any, encode func([]byte) []byte) {
		if present {
			next.single[kind] = newColumn(next.single[kind], kind, of, 1, encode)
		} else {
			next.single[kind] = nil
		}
	}
	misc := miscOf(nm)
	set(format.KindNode, true, nm.SelfNode, func(b []byte) []byte { return codec.AppendNode(b, nm.SelfNode) })
	set(format.KindMisc, true, nil, func(b []byte) []byte { return codec.AppendMisc(b, &misc) })
	set(format.KindDNS, true, nil, func(b []byte) []byte { return codec.AppendDNS(b, &nm.DNS) })
	set(format.KindDERPMap, nm.DERPMap != nil, nm.DERPMap, func(b []byte) []byte { return codec.AppendDERPMap(b, nm.DERPMap) })
	set(format.KindSSH, nm.SSHPolicy != nil, nm.SSHPolicy, func(b []byte) []byte { return codec.AppendSSH(b, nm.SSHPolicy) })
	next.single[format.KindFilter] = newFilter(next.single[format.KindFilter], nm.PacketFilterRules)
	return next
}

// with returns a copy of s, which may be nil, with all of nm.
func (s *snapshot) with(nm *netmap.NetworkMap) *snapshot {
	next := s.withSelf(nm)
	if next.givenPeers == nil || nm.Peers == nil || !slices.Equal(next.givenPeers, nm.Peers) {
		peers, ok := replacePeers(next.peers, next.givenPeers, nm.Peers)
		if !ok {
			valid := slices.DeleteFunc(slices.Clone(nm.Peers), func(p tailcfg.NodeView) bool { return !p.Valid() })
			peers = peerOps.divide(valid, next.peers)
		}
		next.peers = peers
		next.givenPeers = slices.Clone(nm.Peers)
	}
	if next.givenUsers == nil || nm.UserProfiles == nil || !maps.Equal(next.givenUsers, nm.UserProfiles) {
		next.users = userOps.divide(usersOf(nm.UserProfiles), next.users)
		next.givenUsers = maps.Clone(nm.UserProfiles)
	}
	return next
}

// withFilter returns a copy of s with another packet filter.
func (s *snapshot) withFilter(rules views.Slice[tailcfg.FilterRule]) *snapshot {
	next := s.next()
	next.single[format.KindFilter] = newFilter(s.single[format.KindFilter], rules)
	return next
}

func newFilter(old *column, rules views.Slice[tailcfg.FilterRule]) *column {
	if rules.IsNil() {
		return nil
	}
	var of any
	if rules.Len() > 0 { // all empty slices have one key
		of = rules.MapKey()
	}
	return newColumn(old, format.KindFilter, of, rules.Len(), func(b []byte) []byte {
		return codec.AppendFilter(b, rules.AppendTo([]tailcfg.FilterRule{}))
	})
}

// withPeers returns a copy of s in which peers are added or replaced by update,
// and then removed by their stable IDs.
func (s *snapshot) withPeers(update []tailcfg.NodeView, remove []tailcfg.StableNodeID) *snapshot {
	next := s.next()
	next.givenPeers = nil
	var edits []edit[tailcfg.NodeView]
	for _, p := range update {
		if p.Valid() {
			edits = append(edits, edit[tailcfg.NodeView]{peerHash(p.StableID()), func(part []tailcfg.NodeView) []tailcfg.NodeView {
				return upsertPeer(part, p)
			}})
		}
	}
	for _, id := range remove {
		edits = append(edits, edit[tailcfg.NodeView]{peerHash(id), func(part []tailcfg.NodeView) []tailcfg.NodeView {
			return slices.DeleteFunc(part, func(p tailcfg.NodeView) bool { return p.StableID() == id })
		}})
	}
	next.peers = peerOps.edit(s.peers, edits)
	return next
}

// upsertPeer adds p to part in place of the peer that has its stable ID.
// Where several have, which no sane netmap does, it replaces the one that also
// has p's ID; where none of them has, it replaces all. An empty stable
// ID tells nothing: then the ID alone decides.
func upsertPeer(part []tailcfg.NodeView, p tailcfg.NodeView) []tailcfg.NodeView {
	sameStable := func(q tailcfg.NodeView) bool { return q.StableID() == p.StableID() }
	same := func(q tailcfg.NodeView) bool { return sameStable(q) && q.ID() == p.ID() }
	if p.StableID() != "" && !slices.ContainsFunc(part, same) {
		same = sameStable
	}
	return append(slices.DeleteFunc(part, same), p)
}

// withUsers returns a copy of s in which user profiles are added or replaced.
func (s *snapshot) withUsers(update map[tailcfg.UserID]tailcfg.UserProfileView) *snapshot {
	next := s.next()
	next.givenUsers = nil
	var edits []edit[user]
	for _, u := range usersOf(update) {
		edits = append(edits, edit[user]{userHash(u.id), func(part []user) []user {
			part = slices.DeleteFunc(part, func(v user) bool { return v.id == u.id })
			return append(part, u)
		}})
	}
	next.users = userOps.edit(s.users, edits)
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
