package netmaptest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/dnstype"
	"tailscale.com/types/key"
)

// A kind is a sort of node.
type kind int

const (
	device kind = iota // a person's
	server
	router
	exitNode
	wireGuardOnly // run by Mullvad, say
	sharedIn
	sharee // one of our nodes is shared with it
)

// kinds are the kinds of successive peers. They repeat.
var kinds = []kind{
	device, server, device, device, router, device, server, device, device, exitNode,
	device, server, device, device, wireGuardOnly, device, server, device, sharedIn, device,
	server, device, device, sharee, server,
}

// self returns the node of the client itself, a person's Linux laptop.
func (b *builder) self() *tailcfg.Node {
	n := b.node(b.owner, b.name("ada-laptop"), magicSuffix)
	hi := b.hostinfo("linux", "ada-laptop")
	hi.IPNVersion = "1.102.5-t4d2f8a7c1-g9b7c1e2f3"
	hi.FrontendLogID = fmt.Sprintf("%x", b.bytes(32))
	hi.BackendLogID = fmt.Sprintf("%x", b.bytes(32))
	hi.OSVersion = "6.12.38+deb13-amd64"
	hi.Container = "false"
	hi.Desktop = "true"
	hi.Distro, hi.DistroVersion, hi.DistroCodeName = "debian", "13.1", "trixie"
	hi.Package = "deb"
	hi.Machine, hi.GoArch, hi.GoArchVar, hi.GoVersion = "x86_64", "amd64", "v1", "go1.26.8"
	hi.AllowsUpdate = true
	hi.Userspace, hi.UserspaceRouter, hi.AppConnector = "false", "false", "false"
	hi.StateEncrypted = "true"
	hi.RemoteConfig = true
	hi.TPM = &tailcfg.TPMInfo{Manufacturer: "INTC", Vendor: "Intel", Model: 1, FirmwareVersion: 0x000a000c00000f41, SpecRevision: 159, FamilyIndicator: "2.0"}
	hi.SSH_HostKeys = b.sshHostKeys()
	hi.NetInfo = b.netInfo(true)
	n.Hostinfo = hi.View()
	n.KeySignature = b.bytes(179)
	n.Endpoints = b.endpoints()
	n.DataPlaneAuditLogID = fmt.Sprintf("%x", b.bytes(32))
	n.CapMap = tailcfg.NodeCapMap{
		tailcfg.CapabilityAdmin:                                 nil,
		tailcfg.CapabilityFileSharing:                           nil,
		tailcfg.CapabilitySSH:                                   nil,
		tailcfg.CapabilitySSHRuleIn:                             nil,
		tailcfg.CapabilityHTTPS:                                 nil,
		tailcfg.CapabilityTailnetLock:                           nil,
		tailcfg.NodeAttrFunnel:                                  nil,
		tailcfg.NodeAttrProbeUDPLifetime:                        {},
		tailcfg.NodeAttrCacheNetworkMaps:                        nil,
		tailcfg.NodeAttrSSHBehaviorV2:                           nil,
		tailcfg.NodeAttrMaxKeyDuration:                          {"15552000"},
		tailcfg.NodeAttrTailnetDisplayName:                      {`"Example Inc."`},
		tailcfg.NodeAttrServiceHost:                             {`{"svc:wiki":["100.100.7.1","fd7a:115c:a1e0::701"]}`},
		tailcfg.CapabilityFunnelPorts + "?ports=443,8443,10000": nil,
		"tailscale.com/app-connectors":                          {`{"name":"crm","domains":["*.crm.example"],"connectors":["tag:connector"]}`},
	}
	n.InitDisplayNames(magicSuffix)
	return n
}

// peer returns the next peer. Its ID is greater than those of the earlier peers.
func (b *builder) peer() *tailcfg.Node {
	i := b.peers
	b.peers++
	var n *tailcfg.Node
	switch kinds[i%len(kinds)] {
	case server:
		n = b.server()
	case router:
		n = b.router()
	case exitNode:
		n = b.exitNode()
	case wireGuardOnly:
		n = b.wireGuardOnly()
	case sharedIn:
		n = b.sharedIn()
	case sharee:
		n = b.device()
		n.User = b.sharer.ID
		hi := n.Hostinfo.AsStruct()
		hi.ShareeNode = true
		n.Hostinfo = hi.View()
	default:
		n = b.device()
	}
	switch i % 97 {
	case 13:
		n.Expired = true
		n.KeyExpiry = b.before(90*24*time.Hour, time.Second)
		b.setOffline(n)
	case 41:
		n.IsJailed = true
	case 67:
		n.UnsignedPeerAPIOnly = true
		n.KeySignature = nil
	case 89:
		n.MachineAuthorized = false // waits for approval
	}
	n.InitDisplayNames(magicSuffix)
	return n
}

// node returns a node with what all kinds have in common.
func (b *builder) node(owner *tailcfg.UserProfile, label, suffix string) *tailcfg.Node {
	n := &tailcfg.Node{
		ID:                b.nodeID(),
		StableID:          b.stableID(),
		Name:              label + "." + suffix + ".",
		User:              owner.ID,
		Key:               b.nodeKey(),
		KeyExpiry:         b.now.Add(time.Duration(1+b.IntN(180*24)) * time.Hour).Add(time.Duration(b.IntN(3600)) * time.Second),
		Machine:           b.machineKey(),
		DiscoKey:          b.discoKey(),
		Addresses:         b.addresses(),
		MachineAuthorized: true,
	}
	setRegion(&n.HomeDERP, 1+b.IntN(len(cities)))
	n.Created = b.before(1000*24*time.Hour, time.Second)
	n.Cap = tailcfg.CurrentCapabilityVersion - tailcfg.CapabilityVersion(b.IntN(30))
	n.AllowedIPs = slices.Clone(n.Addresses)
	b.nodes = append(b.nodes, n)
	return n
}

// anyNode returns one of the nodes made so far.
func (b *builder) anyNode() *tailcfg.Node { return b.nodes[b.IntN(len(b.nodes))] }

func (b *builder) setOffline(n *tailcfg.Node) {
	online, seen := false, b.before(60*24*time.Hour, 100*time.Millisecond)
	n.Online, n.LastSeen = &online, &seen
	if b.oneIn(2) {
		n.Endpoints = nil
	}
}

// connect gives n an address on the Internet and a state.
func (b *builder) connect(n *tailcfg.Node) {
	n.Endpoints = b.endpoints()
	switch b.IntN(10) {
	case 0: // we may not know
	case 1, 2, 3:
		b.setOffline(n)
	default:
		online := true
		n.Online = &online
	}
	if b.IntN(5) < 2 {
		n.KeySignature = b.bytes(150 + b.IntN(40))
	}
}

func (b *builder) device() *tailcfg.Node {
	owner := b.profiles[b.devices%len(b.profiles)]
	b.devices++
	given, _, _ := strings.Cut(owner.DisplayName, " ")
	person := strings.ToLower(asciiOnly.Replace(given))
	os := b.pick("macOS", "macOS", "iOS", "windows", "linux", "android")
	var label, host, model, osVersion string
	switch os {
	case "macOS":
		label, host, osVersion = person+"s-macbook-pro", given+"’s MacBook Pro", "15.5.0"
	case "iOS":
		label, host, model, osVersion = "iphone-"+person, "localhost", "iPhone17,1", "18.6.1"
	case "windows":
		label = fmt.Sprintf("desktop-%07x", b.Uint32()>>4)
		host, osVersion = strings.ToUpper(label), "10.0.26100.4652"
	case "linux":
		label = person + "-thinkpad"
		host, osVersion = label, "6.12.38"
	case "android":
		label, host, model, osVersion = "google-pixel-9", "localhost", "Pixel 9", "16"
	}
	n := b.node(owner, b.name(label), magicSuffix)
	hi := b.hostinfo(os, host)
	hi.OSVersion, hi.DeviceModel = osVersion, model
	hi.ShieldsUp = b.oneIn(30)
	hi.NoLogsNoSupport = b.oneIn(50)
	if b.oneIn(20) {
		hi.ExitNodeID = b.exitNodeID
	}
	if b.oneIn(5) {
		hi.NetInfo = b.netInfo(false)
	}
	n.Hostinfo = hi.View()
	n.CapMap = tailcfg.NodeCapMap{}
	if !b.oneIn(3) {
		n.CapMap[tailcfg.NodeCapability(tailcfg.PeerCapabilityFileSharingTarget)] = nil
	}
	if b.oneIn(5) {
		n.CapMap[tailcfg.NodeAttrsTaildriveShare] = nil
		n.CapMap[tailcfg.NodeAttrsTaildriveAccess] = nil
	}
	if len(n.CapMap) == 0 {
		n.CapMap = nil
	}
	if b.oneIn(12) {
		n.KeyExpiry = time.Time{} // key expiry disabled
	}
	b.connect(n)
	return n
}

func (b *builder) server() *tailcfg.Node {
	role := b.pick("web", "db", "ci-runner", "k8s-operator", "connector", "recorder", "nas")
	zone := b.pick("use1", "euw1", "apse2")
	host := fmt.Sprintf("%s-%s-%02d", role, zone, 1+b.IntN(40))
	n := b.node(b.tagged, b.name(host), magicSuffix)
	n.KeyExpiry = time.Time{}
	n.Tags = []string{"tag:" + role}
	if b.oneIn(2) {
		n.Tags = append(n.Tags, "tag:"+b.pick("prod", "staging"))
	}
	n.CapMap = tailcfg.NodeCapMap{
		"example.com/cap/deploy": {tailcfg.RawMessage(fmt.Sprintf(`{"env":"prod","roles":["%s"],"zone":"%s"}`, role, zone))},
	}
	hi := b.hostinfo("linux", host)
	hi.OSVersion = "6.8.0-1031-aws"
	hi.Distro, hi.DistroVersion, hi.DistroCodeName = "ubuntu", "24.04", "noble"
	hi.RequestTags = slices.Clone(n.Tags)
	hi.Cloud = "aws"
	hi.Env = b.pick("", "kn", "dk")
	hi.WireIngress, hi.IngressEnabled = b.oneIn(8), b.oneIn(10)
	switch role {
	case "k8s-operator":
		hi.App, hi.Container, hi.Userspace = "k8s-operator", "true", "true"
	case "connector":
		hi.AppConnector, hi.UserspaceRouter = "true", "true"
	case "nas":
		hi.WoLMACs = []string{fmt.Sprintf("%x:%x:%x:%x:%x:%x", 0x10+b.IntN(0x80), 0x1c, 0x2b, 0x10+b.IntN(0x80), 0x4d, 0x5e)}
		hi.PeerRelay = true
		n.CapMap[tailcfg.NodeCapability(tailcfg.PeerCapabilityRelayTarget)] = nil
	case "web":
		hi.ServicesHash = fmt.Sprintf("%x", b.bytes(32))
	}
	if b.oneIn(2) {
		hi.SSH_HostKeys = b.sshHostKeys()
	}
	n.Hostinfo = hi.View()
	b.connect(n)
	return n
}

// router returns a subnet router. Every fourth is on standby for the subnet of
// the one before.
func (b *builder) router() *tailcfg.Node {
	n := b.server()
	b.routers++
	subnet, standby := b.routers, b.routers%4 == 0
	if standby {
		subnet--
	}
	hi, lo := byte(20+subnet>>8), byte(subnet)
	routes := []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, hi, lo, 0}), 24)}
	if b.oneIn(4) {
		// 4via6, of site 7
		routes = append(routes, netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0, 0x0b, 0x1a, 11: 7, 12: 10, 13: hi, 14: lo}), 120))
	}
	b.advertise(n, routes)
	if !standby {
		n.AllowedIPs = append(n.AllowedIPs, routes...)
		n.PrimaryRoutes = routes
	}
	return n
}

func (b *builder) advertise(n *tailcfg.Node, routes []netip.Prefix) {
	hi := n.Hostinfo.AsStruct()
	hi.RoutableIPs = slices.Clone(routes)
	n.Hostinfo = hi.View()
}

var allRoutes = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

func (b *builder) exitNode() *tailcfg.Node {
	n := b.server()
	b.advertise(n, allRoutes)
	n.AllowedIPs = append(n.AllowedIPs, allRoutes...)
	n.CapMap[tailcfg.NodeAttrSuggestExitNode] = nil
	b.exitNodeID = n.StableID
	return n
}

func (b *builder) wireGuardOnly() *tailcfg.Node {
	city := cities[b.IntN(len(cities))]
	host := fmt.Sprintf("%s-wg-%03d", city.code, 1+b.IntN(600))
	n := b.node(b.mullvad, b.name(host), "mullvad.ts.net")
	n.IsWireGuardOnly = true
	n.DiscoKey, n.HomeDERP, n.KeyExpiry, n.Cap = key.DiscoPublic{}, 0, time.Time{}, 0
	n.AllowedIPs = append(n.AllowedIPs, allRoutes...)
	n.Tags = []string{"tag:mullvad-exit-node"}
	n.Endpoints = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{193, byte(b.IntN(256)), byte(b.IntN(256)), 2}), 51820)}
	v4, v6 := netip.AddrFrom4([4]byte{10, 64 + byte(b.IntN(60)), byte(b.IntN(256)), 2}), netip.MustParseAddr(fmt.Sprintf("fc00:bbbb:bbbb:bb01::%x:%x", 1+b.IntN(0xff), 1+b.IntN(0xffff)))
	n.SelfNodeV4MasqAddrForThisPeer, n.SelfNodeV6MasqAddrForThisPeer = &v4, &v6
	n.ExitNodeDNSResolvers = []*dnstype.Resolver{{Addr: "10.64.0.1"}}
	online := true
	n.Online = &online
	n.CapMap = tailcfg.NodeCapMap{tailcfg.NodeAttrSuggestExitNode: nil, "mullvad": nil}
	hi := b.hostinfo("linux", host)
	hi.Location = &tailcfg.Location{
		Country: city.country, CountryCode: city.countryCode, City: city.name, CityCode: strings.ToUpper(city.code),
		Latitude: city.lat, Longitude: city.lon, Priority: 10 * (1 + b.IntN(20)),
	}
	hi.Services = nil
	n.Hostinfo = hi.View()
	return n
}

// sharedIn returns a node of another tailnet, which someone there shares with us.
func (b *builder) sharedIn() *tailcfg.Node {
	host := b.pick("build-box", "media", "staging", "printer")
	n := b.node(b.foreign, b.name(host), otherSuffix)
	n.Sharer = b.sharer.ID
	n.Hostinfo = b.hostinfo("linux", host).View()
	b.connect(n)
	return n
}
