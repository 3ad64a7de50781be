package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
)

var (
	// ErrNeedsLogin is why nothing can be reached.
	ErrNeedsLogin = errors.New("this node has to sign in: it never has, or its key has expired")

	// ErrNoPeer is reported for a name that the network map doesn't have, and an address that no peer has or leads to.
	ErrNoPeer = errors.New("no peer is called")

	// ErrRedirect is reported for a redirect that isn't followed.
	ErrRedirect = errors.New("a redirect is not followed")
)

// What a peer's answer may make the node hold before anyone reads its body, and keep afterwards.
const (
	maxAnswerHeaders = 256 << 10
	maxIdleConns     = 16
	idleTimeout      = time.Minute
	maxRedirects     = 10
)

// newClient returns a client for what peers serve. It keeps no cookies, and follows a peer's redirects to that peer
// alone: whoever asks for one peer's page doesn't thereby ask another in the name of this node.
func newClient(dial func(ctx context.Context, network, to string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dial,
			MaxResponseHeaderBytes: maxAnswerHeaders,
			MaxIdleConns:           maxIdleConns,
			IdleConnTimeout:        idleTimeout,
		},
		CheckRedirect: func(request *http.Request, via []*http.Request) error {
			if from, to := via[0].URL.Hostname(), request.URL.Hostname(); !strings.EqualFold(from, to) {
				return fmt.Errorf("%w: %s leads on to %q; open that if you mean to", ErrRedirect, from, request.URL)
			}
			if len(via) > maxRedirects {
				return fmt.Errorf("%w: %s leads on more than %d times", ErrRedirect, via[0].URL.Host, maxRedirects)
			}
			return nil
		},
	}
}

// peerAt returns the peer that has an address, or leads to it; 0 if none does.
func (n *Node) peerAt(addr netip.Addr) tailcfg.NodeID {
	if peer, ok := n.backend.PeerForIP(addr); ok {
		return peer.Node.ID()
	}
	return 0
}

// Fetch sends an HTTP request to a peer, by its name in the tailnet or its address. It waits for the
// network map, if one may be kept. If it is to follow redirects, it follows none to another host. The body of the response
// must be closed.
func (n *Node) Fetch(request *http.Request, follow bool) (*http.Response, error) {
	if err := n.ready(request.Context()); err != nil {
		return nil, err
	}
	client := *n.http
	if !follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	response, err := client.Do(request)
	if err == nil {
		n.mark(PeerAnswered)
	}
	return response, err
}

// Dial connects to a TCP port of a peer, by its name in the tailnet or its address. It waits for the
// network map, if one may be kept.
func (n *Node) Dial(ctx context.Context, address string) (net.Conn, error) {
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	conn, err := n.dial(ctx, "tcp", address)
	if err == nil {
		n.mark(PeerAnswered)
	}
	return conn, err
}

// ready waits until peers can be asked.
func (n *Node) ready(ctx context.Context) error {
	if n.backend.NodeKey().IsZero() {
		return ErrNeedsLogin
	}
	select {
	case <-n.settling:
	case <-ctx.Done():
		return ctx.Err()
	}
	if n.backend.State() == ipn.NeedsLogin {
		return ErrNeedsLogin
	}
	return nil
}

// dial connects to an address whose host the network map has.
func (n *Node) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err != nil || !n.knows(host) {
		return nil, fmt.Errorf("%w %q", ErrNoPeer, host)
	} else if addr, err := netip.ParseAddr(host); err == nil && n.peerAt(addr) == 0 {
		if err := n.noExit(); err != nil {
			return nil, err
		}
	}
	return n.dialer.UserDial(ctx, network, address)
}

// addressFor returns the node's own address to reach another from. The network stack has those of the services that the node
// hosts as well, and would take any.
func (n *Node) addressFor(to netip.Addr) (netip.Addr, error) {
	if nm := n.backend.NetMapNoPeers(); nm != nil {
		for _, own := range nm.GetAddresses().All() {
			if own.Addr().Is4() == to.Is4() {
				return own.Addr(), nil
			}
		}
	}
	return netip.Addr{}, fmt.Errorf("reach %s without an address of its kind: %s", to, &tcpip.ErrNetworkUnreachable{})
}

// knows reports whether host is an address, or a name that the network map has. Other names would be looked up
// outside of the tailnet.
func (n *Node) knows(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	nm := n.Netmap()
	if nm == nil {
		return false
	}
	for _, p := range nm.Peers {
		if isName(host, p.Name()) {
			return true
		}
	}
	for _, record := range nm.DNS.ExtraRecords {
		if isName(host, record.Name) {
			return true
		}
	}
	return false
}

// isName reports whether host is a name in the tailnet, with or without its domain.
func isName(host, name string) bool {
	host, name = strings.TrimSuffix(host, "."), strings.TrimSuffix(name, ".")
	short, _, _ := strings.Cut(name, ".")
	return strings.EqualFold(host, name) || strings.EqualFold(host, short)
}
