package node

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"tailscale.com/ipn"
)

// errNeedsLogin is why nothing can be reached.
var errNeedsLogin = errors.New("this node has to sign in: it never has, or its key has expired")

// Fetch asks a peer for a page, by its name in the tailnet or its address. It waits for the
// network map, if one may be kept. The body must be closed.
func (n *Node) Fetch(ctx context.Context, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if n.backend.NodeKey().IsZero() {
		return nil, errNeedsLogin
	}
	select {
	case <-n.settling:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if n.backend.State() == ipn.NeedsLogin {
		return nil, errNeedsLogin
	}
	response, err := n.http.Do(request)
	if err == nil {
		n.mark(PeerAnswered)
	}
	return response, err
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
	is := func(name string) bool {
		name = strings.TrimSuffix(name, ".")
		short, _, _ := strings.Cut(name, ".")
		return strings.EqualFold(host, name) || strings.EqualFold(host, short)
	}
	for _, p := range nm.Peers {
		if is(p.Name()) {
			return true
		}
	}
	for _, record := range nm.DNS.ExtraRecords {
		if is(record.Name) {
			return true
		}
	}
	return false
}
