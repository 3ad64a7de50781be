package tailnet

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"tailscale.com/ipn"
	"tailscale.com/net/tsaddr"
	"tailscale.com/tailcfg"
)

// Outside is an address beyond the tailnet, of those that are for documentation (RFC 5737): nothing but a peer's own page is there.
var Outside = netip.MustParseAddr("203.0.113.5")

// OfferExit has the native peer of a name be an exit node, as control tells everyone, or no longer.
func (n *Network) OfferExit(name string, offer bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.clients {
		if c.name != name {
			continue
		}
		self := c.self.Clone()
		self.AllowedIPs = self.Addresses
		if offer {
			self.AllowedIPs = append([]netip.Prefix{tsaddr.AllIPv4(), tsaddr.AllIPv6()}, self.Addresses...)
		}
		c.self = self
		n.sendLocked(&tailcfg.MapResponse{Node: self}, func(to *client) bool { return to == c })
		n.sendLocked(&tailcfg.MapResponse{PeersChanged: []*tailcfg.Node{c.asPeer()}}, func(to *client) bool { return to.sees(c) })
	}
}

// OfferExit has the peer take what browsers send beyond the tailnet. It passes nothing on: what is for [Outside] it answers itself.
func (n *Native) OfferExit(ctx context.Context) error {
	client, err := n.server.LocalClient()
	if err != nil {
		return err
	}
	routes := ipn.Prefs{AdvertiseRoutes: tsaddr.ExitRoutes()}
	if _, err := client.EditPrefs(ctx, &ipn.MaskedPrefs{Prefs: routes, AdvertiseRoutesSet: true}); err != nil {
		return fmt.Errorf("advertise %s as an exit node: %w", n.name, err)
	}
	n.server.RegisterFallbackTCPHandler(func(_, to netip.AddrPort) (func(net.Conn), bool) {
		if to != netip.AddrPortFrom(Outside, webPort) {
			return nil, true
		}
		return func(conn net.Conn) {
			defer conn.Close()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil { // what isn't read resets the connection
				return
			}
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis is beyond the tailnet.\n")
		}, true
	})
	return nil
}
