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

	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
)

// errNeedsLogin is why nothing can be reached.
var errNeedsLogin = errors.New("this node has to sign in: it never has, or its key has expired")

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
				return fmt.Errorf("%s leads on to %q; open that if you mean to", from, request.URL)
			}
			if len(via) > maxRedirects {
				return fmt.Errorf("%s leads on more than %d times", via[0].URL.Host, maxRedirects)
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

// Fetch asks a peer for a page, by its name in the tailnet or its address. It waits for the
// network map, if one may be kept, and follows no redirect to another host. The body must be closed.
func (n *Node) Fetch(ctx context.Context, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if err := n.reaches(ctx); err != nil {
		return nil, err
	}
	response, err := n.http.Do(request)
	if err == nil {
		n.mark(PeerAnswered)
	}
	return response, err
}

// reaches waits until the node knows its peers, if it ever did, and reports why it can reach none.
func (n *Node) reaches(ctx context.Context) error {
	if n.backend.NodeKey().IsZero() {
		return errNeedsLogin
	}
	select {
	case <-n.settling:
	case <-ctx.Done():
		return ctx.Err()
	}
	if n.backend.State() == ipn.NeedsLogin {
		return errNeedsLogin
	}
	return nil
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
