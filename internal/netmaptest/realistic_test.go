package netmaptest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"tailscale.com/net/tsaddr"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/wgengine/filter"
)

// realisticDigest is the SHA-256 of Realistic(100, 1) as JSON, without the
// packet filter, in which the order of capabilities varies.
const realisticDigest = "b62d1c65cfda1e86bcee7bb0d74cb02ac79fdd0abc7091c7c26aae442ddb875e"

func TestRealisticIsDeterministic(t *testing.T) {
	nm := *Realistic(100, 1)
	nm.PacketFilter = nil
	j, err := json.Marshal(nm)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(j)
	if got := hex.EncodeToString(sum[:]); got != realisticDigest {
		t.Errorf("digest of Realistic(100, 1) is %s, want %s; change it if the netmap was meant to change", got, realisticDigest)
	}
	if d := Diff(Realistic(100, 1), Realistic(100, 1)); d != "" {
		t.Error(d)
	}
	if Diff(Realistic(100, 1), Realistic(100, 2)) == "" {
		t.Error("two seeds give the same netmap")
	}
}

func TestRealisticHasEverything(t *testing.T) {
	set := map[string]bool{}
	collectSet(Realistic(500, 1), set)
	checkAllSet(t, set, map[string]string{
		"netmap.NetworkMap.Cached":             "it came from the control plane",
		"tailcfg.Node.LegacyDERPString":        "the client turns it into HomeDERP",
		"tailcfg.Node.Capabilities":            "deprecated, CapMap took its place",
		"tailcfg.Hostinfo.PushDeviceToken":     "isn't sent to peers, and the self node is no phone",
		"tailcfg.FilterRule.SrcBits":           "not sent to clients of this version",
		"tailcfg.NetPortRange.Bits":            "not sent to clients of this version",
		"tailcfg.SSHPrincipal.UnusedPubKeys":   "deprecated",
		"tailcfg.DNSConfig.TempCorpIssue13969": "a prototype's",
		"tailcfg.DERPNode.InsecureForTests":    "for tests of the relay",
		"tailcfg.DERPNode.STUNTestIP":          "for tests of the relay",
	})
}

// TestRealisticSize checks the size that benchmarks rely on.
func TestRealisticSize(t *testing.T) {
	for _, peers := range []int{100, 1000, 3000} {
		nm := Realistic(peers, 1)
		if len(nm.Peers) != peers {
			t.Errorf("Realistic(%d, 1) has %d peers", peers, len(nm.Peers))
		}
		total := 0
		for _, p := range nm.Peers {
			j, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			total += len(j)
		}
		mean, users := total/peers, len(nm.UserProfiles)
		t.Logf("%d peers: %d bytes of JSON each, %d users", peers, mean, users)
		if mean < 1250 || mean > 1350 {
			t.Errorf("%d peers: %d bytes of JSON each, want about 1300", peers, mean)
		}
		if users < peers*3/10 || users > peers*4/10 {
			t.Errorf("%d peers: %d users, want about a third", peers, users)
		}
	}
}

func TestRealisticIsConsistent(t *testing.T) {
	for _, peers := range []int{0, 1, 2, 30, 1000} {
		for seed := range uint64(3) {
			checkConsistent(t, Realistic(peers, seed))
		}
	}
}

// checkConsistent checks what holds between the parts of a real netmap.
func checkConsistent(t *testing.T, nm *netmap.NetworkMap) {
	t.Helper()
	if nm.User() == 0 || nm.SelfNode.Key() != nm.NodeKey || nm.SelfNode.Machine() != nm.MachineKey {
		t.Error("the self node has no user, or other keys than the netmap")
	}
	for c := range nm.SelfNode.CapMap().All() {
		if !nm.AllCaps.Contains(c) {
			t.Errorf("%q is missing in AllCaps", c)
		}
	}
	if len(nm.AllCaps) != nm.SelfNode.CapMap().Len() {
		t.Errorf("%d in AllCaps, want %d", len(nm.AllCaps), nm.SelfNode.CapMap().Len())
	}
	matches, err := filter.MatchesFromFilterRules(nm.PacketFilterRules.AsSlice())
	if err != nil {
		t.Error(err)
	}
	if d := Diff(nm.PacketFilter, matches); d != "" {
		t.Errorf("PacketFilter isn't what the rules say:\n%s", d)
	}
	if nm.MagicDNSSuffix() != magicSuffix {
		t.Errorf("MagicDNSSuffix = %q", nm.MagicDNSSuffix())
	}

	names, stableIDs, keys, addrs := map[string]bool{}, map[tailcfg.StableNodeID]bool{}, map[any]bool{}, map[netip.Prefix]bool{}
	users := map[tailcfg.UserID]bool{}
	primary := map[netip.Prefix]bool{}
	lastID := tailcfg.NodeID(0)
	for _, p := range nm.Peers {
		if p.ID() <= lastID {
			t.Errorf("%s: ID %d after %d", p.Name(), p.ID(), lastID)
		}
		lastID = p.ID()
	}
	for _, n := range slices.Concat([]tailcfg.NodeView{nm.SelfNode}, nm.Peers) {
		if names[n.Name()] || stableIDs[n.StableID()] || keys[n.Key()] || keys[n.Machine()] || keys[n.DiscoKey()] && !n.IsWireGuardOnly() {
			t.Errorf("%s: its name, stable ID or a key occurs twice", n.Name())
		}
		names[n.Name()], stableIDs[n.StableID()], keys[n.Key()], keys[n.Machine()], keys[n.DiscoKey()] = true, true, true, true, true
		users[n.User()] = true
		if n.Sharer() != 0 {
			users[n.Sharer()] = true
		}
		if n.Addresses().Len() != 2 {
			t.Errorf("%s: %d addresses", n.Name(), n.Addresses().Len())
		}
		for _, a := range n.Addresses().All() {
			if addrs[a] || !a.IsSingleIP() || !tsaddr.IsTailscaleIP(a.Addr()) {
				t.Errorf("%s: bad or duplicate address %v", n.Name(), a)
			}
			addrs[a] = true
		}
		allowed := n.AllowedIPs().AsSlice()
		for _, a := range slices.Concat(n.Addresses().AsSlice(), n.PrimaryRoutes().AsSlice()) {
			if !slices.Contains(allowed, a) {
				t.Errorf("%s: %v isn't in AllowedIPs", n.Name(), a)
			}
		}
		for _, r := range n.PrimaryRoutes().All() {
			if primary[r] {
				t.Errorf("%s: %v has a primary router already", n.Name(), r)
			}
			primary[r] = true
			if !slices.Contains(n.Hostinfo().RoutableIPs().AsSlice(), r) || r != r.Masked() {
				t.Errorf("%s: primary route %v isn't advertised or has host bits", n.Name(), r)
			}
		}
		if _, ok := nm.DERPMap.Regions[n.HomeDERP()]; !ok && !n.IsWireGuardOnly() {
			t.Errorf("%s: home DERP region %d doesn't exist", n.Name(), n.HomeDERP())
		}
		fresh := nodeOf(n)
		fresh.InitDisplayNames(magicSuffix)
		if d := Diff(n, fresh.View()); d != "" {
			t.Errorf("%s: display names were not computed:\n%s", n.Name(), d)
		}
		if strings.HasSuffix(n.Name(), "."+magicSuffix+".") && strings.Contains(n.ComputedName(), ".") {
			t.Errorf("%s: ComputedName is %q", n.Name(), n.ComputedName())
		}
		if n.LastSeen().Valid() && (!n.Online().Valid() || n.Online().Get()) {
			t.Errorf("%s: has LastSeen, but isn't offline", n.Name())
		}
	}
	for id := range users {
		if up, ok := nm.UserProfiles[id]; !ok || up.ID() != id {
			t.Errorf("no profile for user %d, or a wrong one", id)
		}
	}
	logins := map[string]bool{}
	for _, up := range nm.UserProfiles {
		if logins[up.LoginName()] && strings.HasSuffix(up.LoginName(), "@"+domain) {
			t.Errorf("two users have the login %q", up.LoginName())
		}
		logins[up.LoginName()] = true
	}
	if len(users) != len(nm.UserProfiles) {
		t.Errorf("%d user profiles, want %d", len(nm.UserProfiles), len(users))
	}
}

func TestRealisticKinds(t *testing.T) {
	count := map[string]int{}
	for _, p := range Realistic(500, 1).Peers {
		for name, is := range map[string]bool{
			"tagged": p.IsTagged(), "subnet router": p.PrimaryRoutes().Len() > 0, "exit node": slices.Contains(p.AllowedIPs().AsSlice(), allRoutes[0]),
			"standby router": p.PrimaryRoutes().Len() == 0 && p.Hostinfo().RoutableIPs().Len() > 0 && !p.IsRouter(),
			"WireGuard only": p.IsWireGuardOnly(), "shared in": p.Sharer() != 0, "sharee": p.Hostinfo().ShareeNode(),
			"expired": p.Expired(), "jailed": p.IsJailed(), "unsigned": p.UnsignedPeerAPIOnly(), "unauthorized": !p.MachineAuthorized(),
			"signed": p.KeySignature().Len() > 0, "online": p.Online().Valid() && p.Online().Get(), "offline": p.LastSeen().Valid(), "unknown": !p.Online().Valid(),
			"no key expiry": p.KeyExpiry().IsZero(), "router": p.IsRouter(), "without CapMap": p.CapMap().IsNil(),
		} {
			if is {
				count[name]++
			}
		}
	}
	for name, limits := range map[string][2]int{
		"tagged": {130, 260}, "subnet router": {10, 20}, "exit node": {20, 60}, "standby router": {4, 6}, "WireGuard only": {10, 30}, "shared in": {10, 30}, "sharee": {10, 30},
		"expired": {1, 10}, "jailed": {1, 10}, "unsigned": {1, 10}, "unauthorized": {1, 10}, "signed": {150, 350}, "online": {200, 400}, "offline": {80, 220}, "unknown": {10, 90},
		"no key expiry": {130, 300}, "router": {30, 90}, "without CapMap": {10, 200},
	} {
		if n := count[name]; n < limits[0] || n > limits[1] {
			t.Errorf("%d of 500 peers are %s, want %d to %d", n, name, limits[0], limits[1])
		}
	}
}
