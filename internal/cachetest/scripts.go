package cachetest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// Other is a netmap that no script stores.
func Other() *netmap.NetworkMap { return netmaptest.Realistic(4, 99) }

// Scripts returns scripts in which all calls of a Cache write in all ways: into an
// empty store, over a snapshot, back to an older snapshot whose columns were just
// removed, over upstream's layout, over orphans, and with other numbers of parts.
func Scripts() []Script {
	ctx := context.Background()
	return []Script{session(), selfFirst(), growth(), orphans(),
		migration(ctx, "Store"), migration(ctx, "UpdatePeers"), migration(ctx, "Clear")}
}

func storeStep(name string, nm *netmap.NetworkMap) Step {
	return Step{"Store, " + name, func(ctx context.Context, c *netmapcache.Cache) error { return c.Store(ctx, nm) }, nm}
}

func peersStep(name string, update []tailcfg.NodeView, remove []tailcfg.StableNodeID, want *netmap.NetworkMap) Step {
	return Step{"UpdatePeers, " + name, func(ctx context.Context, c *netmapcache.Cache) error { return c.UpdatePeers(ctx, update, remove) }, want}
}

func selfStep(name string, nm, want *netmap.NetworkMap) Step {
	return Step{"UpdateSelfOnly, " + name, func(ctx context.Context, c *netmapcache.Cache) error { return c.UpdateSelfOnly(ctx, nm) }, want}
}

var clearStep = Step{"Clear", func(ctx context.Context, c *netmapcache.Cache) error { return c.Clear(ctx) }, nil}

func session() Script {
	first := netmaptest.Realistic(6, 1)
	second := netmaptest.WithFilterChanged(netmaptest.WithPeerChanged(netmaptest.WithPeerChanged(first, 1, 2), 4, 3), 4)
	self := netmaptest.WithSelfChanged(second, 5)
	noPolicy := *self
	noPolicy.SSHPolicy = nil

	peers := netmaptest.WithPeersRemoved(netmaptest.WithPeerChanged(&noPolicy, 0, 6), 5)
	added := (&tailcfg.Node{ID: 1 << 60, StableID: "nADDED", Name: "added.example.ts.net."}).View()
	peers.Peers = append(peers.Peers, added)
	update, remove := []tailcfg.NodeView{peers.Peers[0], added}, []tailcfg.StableNodeID{first.Peers[5].StableID()}

	user := first.SelfNode.User()
	users := netmaptest.WithUserChanged(peers, user, 7)
	filter := netmaptest.WithFilterChanged(users, 8)
	return Script{Name: "session", Steps: []Step{
		storeStep("nothing stored", first),
		{"Load", func(ctx context.Context, c *netmapcache.Cache) error { _, err := c.Load(ctx); return err }, first},
		{"Info", func(ctx context.Context, c *netmapcache.Cache) error { _, err := c.Info(ctx); return err }, first},
		storeStep("the same", first),
		storeStep("changed", second),
		selfStep("self changed", self, self),
		selfStep("policy removed", &noPolicy, &noPolicy),
		peersStep("one each", update, remove, peers),
		peersStep("the same", update, remove, peers),
		{"UpdateUserProfiles", func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdateUserProfiles(ctx, map[tailcfg.UserID]tailcfg.UserProfileView{user: users.UserProfiles[user]})
		}, users},
		{"UpdatePacketFilter", func(ctx context.Context, c *netmapcache.Cache) error {
			return c.UpdatePacketFilter(ctx, filter.PacketFilterRules)
		}, filter},
		storeStep("an older one", first),
		storeStep("another one", Other()),
		clearStep,
		storeStep("after Clear", first),
	}}
}

func selfFirst() Script {
	nm := netmaptest.Realistic(3, 2)
	alone := *nm
	alone.Peers, alone.UserProfiles = nil, nil
	peers := alone
	peers.Peers = nm.Peers
	return Script{Name: "self first", Steps: []Step{
		clearStep,
		selfStep("nothing stored", nm, &alone),
		peersStep("all", nm.Peers, nil, &peers),
		clearStep,
	}}
}

// growth makes the cache divide peers and users anew into more parts, and into fewer.
func growth() Script {
	small := netmaptest.Realistic(80, 3)
	large := netmaptest.WithPeersAdded(small, 30, 4)
	large.UserProfiles = small.UserProfiles
	return Script{Name: "growth", Steps: []Step{
		storeStep("80 peers", small),
		peersStep("110 peers", large.Peers[80:], nil, large),
		storeStep("9 peers", netmaptest.Realistic(9, 3)),
	}}
}

// orphans begins with columns that an interrupted call left.
func orphans() Script {
	sc := Script{Name: "orphans"}
	for i, name := range []string{"node", "misc", "dns", "derpmap", "filter", "ssh", "peers-0", "peers-3f", "users-1"} {
		key := fmt.Sprintf("%s.%s", name, strings.Repeat(fmt.Sprintf("%02x", i), 16))
		sc.Setup = append(sc.Setup, store.Entry{Key: key, Value: []byte("orphan")})
	}
	nm := netmaptest.Realistic(5, 5)
	changed := netmaptest.WithPeerChanged(nm, 2, 6)
	sc.Steps = []Step{
		storeStep("nothing stored", nm),
		peersStep("one changed", changed.Peers[2:3], nil, changed),
	}
	return sc
}

// migration begins with what upstream's package stored.
func migration(ctx context.Context, by string) Script {
	s := memstore.New()
	must(upstream.NewCache(s).Store(ctx, netmaptest.Realistic(4, 6)))
	sc := Script{Name: "migration by " + by}
	for key, err := range s.List(ctx, "") {
		must(err)
		value, err := s.Load(ctx, key)
		must(err)
		sc.Setup = append(sc.Setup, store.Entry{Key: key, Value: value})
	}
	start, err := netmapcache.NewCache(s).Load(ctx)
	must(err)
	start.Cached = false
	sc.Start = start

	changed := netmaptest.WithPeerChanged(start, 1, 7)
	switch by {
	case "Store":
		sc.Steps = []Step{storeStep("over upstream's layout", changed)}
	case "UpdatePeers":
		sc.Steps = []Step{peersStep("of upstream's layout", slices.Clone(changed.Peers[1:2]), nil, changed)}
	case "Clear":
		sc.Steps = []Step{clearStep}
	}
	sc.Steps = append(sc.Steps, storeStep("afterwards", start))
	return sc
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("cachetest: %v", err)) // a mistake in this package, or in the one under test
	}
}
