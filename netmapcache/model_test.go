package netmapcache_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// A content describes a netmap of the tests with many writers in brief. Its numbers are versions,
// and zero means absent.
type content struct {
	Self   int // the version of the self node, DNS and so on
	Filter int
	Peers  [len(peerGroups)]int
	Users  [3]int

	NilPeers, NilUsers bool // the list is nil rather than empty
}

// selfOnly is a netmap with neither peers nor users.
var selfOnly = content{NilPeers: true, NilUsers: true}

// peerGroups are the sizes of groups of peers that appear, change and go together. With
// the large groups the list of peers has more parts.
var peerGroups = [...]int{1, 1, 2, 40, 90}

// A call is a call of a method of Cache. Arg says what a Store stores. For an update, only the fields of Arg
// that the method changes count.
type call struct {
	Op     string
	Arg    content
	Remove [len(peerGroups)]bool
}

// on returns what the call makes of base.
func (k call) on(base content) content {
	next := base
	switch k.Op {
	case "Store":
		next = k.Arg
	case "UpdateSelfOnly":
		next.Self, next.Filter = k.Arg.Self, k.Arg.Filter
	case "UpdatePacketFilter":
		next.Filter = k.Arg.Filter
	case "UpdatePeers":
		for g, version := range k.Arg.Peers {
			if version > 0 {
				next.Peers[g] = version
			}
		}
		for g := range peerGroups {
			if k.Remove[g] {
				next.Peers[g] = 0
			}
		}
		next.NilPeers = base.NilPeers && next.Peers == selfOnly.Peers
	case "UpdateUserProfiles":
		for u, version := range k.Arg.Users {
			if version > 0 {
				next.Users[u] = version
			}
		}
		next.NilUsers = base.NilUsers && next.Users == selfOnly.Users
	}
	return next
}

// owner returns the owner of the snapshot that the call stores over base, which may be nil. own is the owner of the Cache.
func (k call) owner(own string, base *commit) string {
	if k.updates() && own == "" && base != nil {
		return base.owner
	}
	return own
}

// writes reports whether the call stores or updates a netmap.
func (k call) writes() bool { return k.Op == "Store" || k.updates() }

func (k call) updates() bool { return strings.HasPrefix(k.Op, "Update") }

// An outcome is what a call returned.
type outcome struct {
	err    error
	loaded content          // by Load
	info   netmapcache.Info // by Info
}

// do makes the call.
func (k call) do(ctx context.Context, c *netmapcache.Cache, v *versions) (o outcome) {
	switch k.Op {
	case "Store":
		o.err = c.Store(ctx, v.netmap(k.Arg))
	case "UpdateSelfOnly":
		o.err = c.UpdateSelfOnly(ctx, v.netmap(k.Arg))
	case "UpdatePeers":
		var remove []tailcfg.StableNodeID
		for g, size := range peerGroups {
			for i := range size {
				if k.Remove[g] {
					remove = append(remove, stableID(g, i))
				}
			}
		}
		o.err = c.UpdatePeers(ctx, v.netmap(k.Arg).Peers, remove)
	case "UpdateUserProfiles":
		o.err = c.UpdateUserProfiles(ctx, v.netmap(k.Arg).UserProfiles)
	case "UpdatePacketFilter":
		o.err = c.UpdatePacketFilter(ctx, v.netmap(k.Arg).PacketFilterRules)
	case "Load":
		var nm *netmap.NetworkMap
		if nm, o.err = c.Load(ctx); o.err == nil {
			o.loaded, o.err = contentOf(nm)
		}
	case "Info":
		o.info, o.err = c.Info(ctx)
	case "Clear":
		o.err = c.Clear(ctx)
	default:
		o.err = fmt.Errorf("no call %q", k.Op)
	}
	return o
}

// versions makes netmaps. Unless versions is nil, the netmaps share equal peers,
// like the netmaps of one session of a client.
type versions struct {
	peers map[peerVersion]tailcfg.NodeView
}

type peerVersion struct{ group, index, version int }

func newVersions() *versions {
	return &versions{peers: make(map[peerVersion]tailcfg.NodeView)}
}

// netmap returns the netmap with content c. Every column contains its version.
func (v *versions) netmap(c content) *netmap.NetworkMap {
	self := strconv.Itoa(c.Self)
	nm := &netmap.NetworkMap{
		SelfNode: (&tailcfg.Node{ID: 1, StableID: "self", User: 1, Name: self}).View(),
		Domain:   self,
		DNS:      tailcfg.DNSConfig{Domains: []string{self}},
		DERPMap:  new(tailcfg.DERPMap),
	}
	netmaptest.AddRegion(nm.DERPMap, 1, &tailcfg.DERPRegion{RegionName: self})
	if c.Self%2 == 1 {
		nm.SSHPolicy = &tailcfg.SSHPolicy{Rules: []*tailcfg.SSHRule{{AcceptEnv: []string{self}}}}
	}
	if c.Filter > 0 {
		nm.PacketFilterRules = views.SliceOf([]tailcfg.FilterRule{{
			SrcIPs:   []string{"*"},
			DstPorts: []tailcfg.NetPortRange{{IP: "*", Ports: tailcfg.PortRange{Last: uint16(c.Filter)}}},
		}})
	}
	if !c.NilPeers {
		nm.Peers = []tailcfg.NodeView{}
	}
	for g, version := range c.Peers {
		if version > 0 {
			for i := range peerGroups[g] {
				nm.Peers = append(nm.Peers, v.peer(peerVersion{g, i, version}))
			}
		}
	}
	if !c.NilUsers {
		nm.UserProfiles = make(map[tailcfg.UserID]tailcfg.UserProfileView)
		for u, version := range c.Users {
			if version > 0 {
				id := tailcfg.UserID(u)
				nm.UserProfiles[id] = (&tailcfg.UserProfile{ID: id, DisplayName: strconv.Itoa(version)}).View()
			}
		}
	}
	return nm
}

func (v *versions) peer(p peerVersion) tailcfg.NodeView {
	if v != nil && v.peers[p].Valid() {
		return v.peers[p]
	}
	n := (&tailcfg.Node{
		ID:       tailcfg.NodeID(1000*(p.group+1) + p.index),
		StableID: stableID(p.group, p.index),
		Name:     strconv.Itoa(p.version),
	}).View()
	if v != nil {
		v.peers[p] = n
	}
	return n
}

func stableID(group, index int) tailcfg.StableNodeID {
	return tailcfg.StableNodeID(fmt.Sprintf("%d-%d", group, index))
}

// contentOf returns the content of a loaded netmap. It reports an error if
// the netmap has no content, for example because columns are mixed.
func contentOf(nm *netmap.NetworkMap) (c content, err error) {
	number := func(s string) int {
		n, convErr := strconv.Atoi(s)
		err = errors.Join(err, convErr)
		return n
	}
	c.Self = number(nm.Domain)
	if nm.PacketFilterRules.Len() > 0 {
		c.Filter = int(nm.PacketFilterRules.At(0).DstPorts[0].Ports.Last)
	}
	for _, p := range nm.Peers {
		group, _, _ := strings.Cut(string(p.StableID()), "-")
		c.Peers[number(group)] = number(p.Name())
	}
	for id, u := range nm.UserProfiles {
		c.Users[id] = number(u.DisplayName())
	}
	c.NilPeers, c.NilUsers = nm.Peers == nil, nm.UserProfiles == nil
	if err != nil {
		return c, err
	}
	if diff := netmaptest.Diff(nm, expected((*versions)(nil).netmap(c))); diff != "" {
		return c, fmt.Errorf("a netmap that nobody stored:\n%s", diff)
	}
	return c, nil
}

// load returns the results of Load and Info of a new Cache on s, and whether anything is
// stored.
func load(ctx context.Context, s netmapcache.Store) (c content, info netmapcache.Info, ok bool, err error) {
	cache := netmapcache.NewCache(s)
	nm, err := cache.Load(ctx)
	if err == nil {
		if c, err = contentOf(nm); err == nil {
			info, err = cache.Info(ctx)
		}
		return c, info, true, err
	}
	if _, infoErr := cache.Info(ctx); isNone(err) && isNone(infoErr) {
		return c, info, false, nil
	}
	return c, info, false, err
}

// isNone reports whether err says that nothing is stored, rather than that what is
// stored can't be used.
func isNone(err error) bool {
	return errors.Is(err, netmapcache.ErrCacheNotAvailable) && !errors.Is(err, netmapcache.ErrCorrupt) &&
		!errors.Is(err, netmapcache.ErrWrongOwner) && !errors.Is(err, netmapcache.ErrExpired) && !errors.Is(err, netmapcache.ErrFormat)
}
