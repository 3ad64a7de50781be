package tailnet

import (
	"fmt"
	"net/http"
	"net/netip"

	"tailscale.com/derp/derpserver"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
	"tailscale.com/types/netmap"
)

// NewRelay returns a DERP server, for browsers over WebSocket. It serves the paths under /derp.
func NewRelay(logf logger.Logf) http.Handler {
	server := derpserver.New(key.NewNode(), logf)
	mux := http.NewServeMux()
	mux.Handle("/derp", derpserver.AddWebSocketSupport(server, derpserver.Handler(server)))
	mux.HandleFunc("/derp/probe", derpserver.ProbeHandler)
	return mux
}

// UseRelay puts the relay at addr, which is reached without TLS, in the place of all that nm has. Its regions
// stay, for peers are at home in them, but only one is offered to nodes that look for a home.
func UseRelay(nm *netmap.NetworkMap, addr netip.AddrPort) {
	relays := nm.DERPMap.Clone()
	for i, id := range relays.RegionIDs() {
		region := relays.Regions[id]
		region.NoMeasureNoHome = i > 0
		region.Avoid = false
		region.Nodes = []*tailcfg.DERPNode{{
			Name:     fmt.Sprintf("%da", id),
			RegionID: id,
			HostName: addr.Addr().String(),
			IPv4:     addr.Addr().String(),
			IPv6:     "none",
			DERPPort: int(addr.Port()),
			STUNPort: -1,
		}}
	}
	nm.DERPMap = relays
}
