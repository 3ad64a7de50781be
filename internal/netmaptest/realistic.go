package netmaptest

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/wgengine/filter"
)

const (
	domain      = "example.com"
	magicSuffix = "yak-bebop.ts.net"
	otherSuffix = "tail-scale.ts.net" // of the tailnet that shares nodes with ours
)

// Realistic returns a netmap as a control client returns it for a tailnet
// with that many peers: people's devices, tagged servers, subnet routers, exit
// nodes, shared-in nodes and Mullvad-like WireGuard-only nodes. A few are odd
// (expired, jailed, unsigned). The netmap also has everything else that a control plane sends. One peer
// takes about 1,300 bytes as JSON.
func Realistic(peers int, seed uint64) *netmap.NetworkMap {
	return RealisticAt(madeAt, peers, seed)
}

// madeAt is when the control plane made the netmap, unless a caller says otherwise.
var madeAt = time.Date(2026, 7, 14, 9, 30, 15, 0, time.UTC)

// RealisticAt is [Realistic] at a given time, in UTC. The keys of people's devices expire within half a year after it.
func RealisticAt(now time.Time, peers int, seed uint64) *netmap.NetworkMap {
	b := newBuilder(now, seed)
	b.users(max(1, peers/3))
	self := b.self()
	nm := &netmap.NetworkMap{
		SelfNode:         self.View(),
		NodeKey:          self.Key,
		MachineKey:       self.Machine,
		DNS:              b.dns(),
		CollectServices:  true,
		DERPMap:          b.derpMap(),
		DisplayMessages:  displayMessages(),
		TKAEnabled:       true,
		TKAHead:          tka.AUMHash(b.bytes(32)),
		Domain:           domain,
		DomainAuditLogID: hex.EncodeToString(b.bytes(32)),
		UserProfiles:     map[tailcfg.UserID]tailcfg.UserProfileView{},
	}
	nm.AllCaps.Make()
	for c := range self.CapMap {
		nm.AllCaps.Add(c)
	}
	for range peers {
		nm.Peers = append(nm.Peers, b.peer().View())
	}
	nm.SSHPolicy = b.sshPolicy()
	rules := b.filterRules()
	nm.PacketFilterRules = views.SliceOf(rules)
	nm.PacketFilter = mustMatches(rules)
	b.addProfiles(nm)
	return nm
}

func mustMatches(rules []tailcfg.FilterRule) []filter.Match {
	m, err := filter.MatchesFromFilterRules(rules)
	if err != nil {
		panic(fmt.Sprintf("netmaptest: %v", err)) // a mistake in this package
	}
	return m
}

// A builder makes the values of a realistic netmap, consistent with each other.
type builder struct {
	*rand.Rand
	now      time.Time // when the control plane made the netmap
	profiles []*tailcfg.UserProfile
	byUser   map[tailcfg.UserID]*tailcfg.UserProfile
	owner    *tailcfg.UserProfile // of the self node
	tagged   *tailcfg.UserProfile // stands for the users of tagged nodes
	mullvad  *tailcfg.UserProfile
	sharer   *tailcfg.UserProfile // of another tailnet
	foreign  *tailcfg.UserProfile // likewise

	nodes      []*tailcfg.Node      // made so far; in Realistic, self is the first
	exitNodeID tailcfg.StableNodeID // of the last exit node

	peers    int // made so far
	devices  int // of them
	lastNode tailcfg.NodeID
	lastUser tailcfg.UserID
	lastIP   uint32 // but for a gap
	stable   map[tailcfg.StableNodeID]bool
	hosts    map[string]int  // how often each was given to name
	names    map[string]bool // that name returned
	routers  int
}

func newBuilder(now time.Time, seed uint64) *builder {
	return &builder{
		Rand:     rand.New(rand.NewPCG(seed, 'r')),
		now:      now,
		byUser:   map[tailcfg.UserID]*tailcfg.UserProfile{},
		lastNode: 1_204_817_553_901_277,
		lastUser: 3_481_120_047_219,
		lastIP:   100<<24 | 64<<16,
		stable:   map[tailcfg.StableNodeID]bool{},
		hosts:    map[string]int{},
		names:    map[string]bool{},
	}
}

// oneIn reports true once in n times.
func (b *builder) oneIn(n int) bool { return b.IntN(n) == 0 }

func (b *builder) pick(from ...string) string { return from[b.IntN(len(from))] }

func (b *builder) bytes(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(b.Uint32())
	}
	return p
}

// before returns a time up to d before b.now, in whole units of precision.
func (b *builder) before(d, precision time.Duration) time.Time {
	return b.now.Add(-time.Duration(b.Int64N(int64(d)))).Truncate(precision)
}

func (b *builder) nodeID() tailcfg.NodeID {
	b.lastNode += tailcfg.NodeID(1 + b.Int64N(9_000_000_000))
	return b.lastNode
}

func (b *builder) stableID() tailcfg.StableNodeID {
	const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	for {
		var id strings.Builder
		id.WriteByte('n')
		for range 9 {
			id.WriteByte(base58[b.IntN(len(base58))])
		}
		id.WriteString("11CNTRL")
		if s := tailcfg.StableNodeID(id.String()); !b.stable[s] {
			b.stable[s] = true
			return s
		}
	}
}

// name returns a MagicDNS label made from host. No other call returns the same.
func (b *builder) name(host string) string {
	for {
		label := host
		if n := b.hosts[host]; n > 0 {
			label = fmt.Sprintf("%s-%d", host, n)
		}
		b.hosts[host]++
		if !b.names[label] {
			b.names[label] = true
			return label
		}
	}
}

func (b *builder) nodeKey() (k key.NodePublic) {
	mustUnmarshal(&k, "nodekey:", b.bytes(32))
	return k
}

func (b *builder) machineKey() (k key.MachinePublic) {
	mustUnmarshal(&k, "mkey:", b.bytes(32))
	return k
}

func (b *builder) discoKey() (k key.DiscoPublic) {
	mustUnmarshal(&k, "discokey:", b.bytes(32))
	return k
}

func mustUnmarshal(k interface{ UnmarshalText([]byte) error }, prefix string, raw []byte) {
	if err := k.UnmarshalText([]byte(prefix + hex.EncodeToString(raw))); err != nil {
		panic(fmt.Sprintf("netmaptest: %v", err)) // a mistake in this package
	}
}

// addresses returns the next node's addresses. The IPv6 one embeds the IPv4 one.
func (b *builder) addresses() []netip.Prefix {
	b.lastIP += 1 + b.Uint32N(97)
	v4 := b.lastIP
	if v4 >= 100<<24|115<<16|92<<8 {
		v4 += 1 << 9 // 100.115.92.0/23 is never assigned
	}
	a4 := [4]byte{byte(v4 >> 24), byte(v4 >> 16), byte(v4 >> 8), byte(v4)}
	a16 := [16]byte{0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0}
	a16[8] = byte(1 + b.IntN(0xef))
	copy(a16[12:], a4[:])
	return []netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4(a4), 32),
		netip.PrefixFrom(netip.AddrFrom16(a16), 128),
	}
}

func (b *builder) endpoints() []netip.AddrPort {
	port := uint16(41641)
	if b.oneIn(2) {
		port = uint16(1024 + b.IntN(64000))
	}
	eps := []netip.AddrPort{
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(80 + b.IntN(16)), byte(b.IntN(256)), byte(b.IntN(256)), byte(1 + b.IntN(254))}), port),
	}
	if b.oneIn(3) {
		a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
		copy(a[4:], b.bytes(12))
		eps = append(eps, netip.AddrPortFrom(netip.AddrFrom16(a), port))
	}
	for range 1 + b.IntN(2) {
		eps = append(eps, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, byte(b.IntN(256)), byte(1 + b.IntN(254))}), port))
	}
	return eps
}
