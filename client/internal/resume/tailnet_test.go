package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"

	"tailscale.com/derp/derpserver"
	"tailscale.com/net/stun/stuntest"
	"tailscale.com/tailcfg"
	"tailscale.com/tsnet"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/events"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
	"tailscale.com/util/eventbus"
)

// tailnet has a control server that can be cut off, a relay, and peers in this process that serve a page.
type tailnet struct {
	t       *testing.T
	control *testcontrol.Server
	addr    string // of the control server

	mu       sync.Mutex
	listener net.Listener // nil while control is cut off
	conns    []net.Conn   // that control has accepted since it was last cut off
}

// newTailnet returns a tailnet that asks its nodes to cache the netmap.
func newTailnet(t *testing.T) *tailnet {
	n := &tailnet{
		t: t,
		control: &testcontrol.Server{
			Logf:                    logger.Discard,
			DERPMap:                 startRelay(t),
			DefaultNodeCapabilities: &tailcfg.NodeCapMap{tailcfg.NodeAttrCacheNetworkMaps: nil},
		},
		addr: "127.0.0.1:0",
	}
	n.connect()
	n.control.ExplicitBaseURL = n.url()
	t.Cleanup(n.cut)
	return n
}

// startRelay starts a DERP and a STUN server and returns the map of them.
func startRelay(t *testing.T) *tailcfg.DERPMap {
	derp := derpserver.New(key.NewNode(), logger.Discard)
	server := httptest.NewTLSServer(derpserver.Handler(derp))
	stun, stopSTUN := stuntest.Serve(t)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		derp.Close()
		stopSTUN()
	})
	const region = 1
	return &tailcfg.DERPMap{Regions: map[int]*tailcfg.DERPRegion{region: {
		RegionID:   region,
		RegionCode: "test",
		Nodes: []*tailcfg.DERPNode{{
			Name: "1", RegionID: region, HostName: "127.0.0.1", IPv4: "127.0.0.1", IPv6: "none",
			DERPPort: server.Listener.Addr().(*net.TCPAddr).Port, InsecureForTests: true,
			STUNPort: stun.Port, STUNTestIP: "127.0.0.1",
		}},
	}}}
}

func (n *tailnet) url() string { return "http://" + n.addr }

// connect makes control reachable, at the address that it had before.
func (n *tailnet) connect() {
	n.t.Helper()
	listener, err := net.Listen("tcp", n.addr)
	if err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	n.listener, n.addr = listener, listener.Addr().String()
	n.mu.Unlock()
	go http.Serve(accepting{listener, n}, n.control)
}

// refuse has new connections to control refused. Those that are there go on.
func (n *tailnet) refuse() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listener != nil {
		n.listener.Close()
		n.listener = nil
	}
}

// cut ends all connections to control and has new ones refused.
func (n *tailnet) cut() {
	n.refuse()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		c.Close()
	}
	n.conns = nil
}

// reached reports whether anyone has connected to control since it was last cut off.
func (n *tailnet) reached() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns) > 0
}

// accepting notes the connections that it accepts.
type accepting struct {
	net.Listener
	n *tailnet
}

func (a accepting) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	a.n.mu.Lock()
	defer a.n.mu.Unlock()
	if a.n.listener != a.Listener {
		c.Close()
	}
	a.n.conns = append(a.n.conns, c)
	return c, nil
}

// peer is a node in this process.
type peer struct {
	*tsnet.Server
	name   string
	ip     netip.Addr
	learns chan events.DiscoKeyAdvertisement // disco keys that other nodes tell it
}

// addPeer starts a node that serves its name on port 80.
func (n *tailnet) addPeer(name string) *peer {
	n.t.Helper()
	p := &peer{name: name, learns: make(chan events.DiscoKeyAdvertisement, 100), Server: &tsnet.Server{
		Dir:        n.t.TempDir(),
		Hostname:   name,
		ControlURL: n.url(),
		UserLogf:   logger.Discard,
	}}
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	status, err := p.Up(ctx)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { p.Close() })
	p.ip = status.TailscaleIPs[0]
	eventbus.SubscribeFunc(p.Sys().Bus.Get().Client("test"), func(a events.DiscoKeyAdvertisement) { p.learns <- a })
	listener, err := p.Listen("tcp", ":80")
	if err != nil {
		n.t.Fatal(err)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, p.page())
	}))
	return p
}

func (p *peer) url() string  { return fmt.Sprintf("http://%s/", p.ip) }
func (p *peer) page() string { return "served by " + p.name }

// sendDelta sends the node a change, and from then on nothing but such changes.
func (n *tailnet) sendDelta(node key.NodePublic, delta *tailcfg.MapResponse) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if err := n.control.AwaitNodeInMapRequest(ctx, node); err != nil {
		n.t.Fatal(err)
	}
	if !n.control.AddRawMapResponse(node, delta) {
		n.t.Fatal("the node isn't connected to control")
	}
}
