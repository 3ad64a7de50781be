package codec

import (
	"tailscale.com/tailcfg"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/util/set"
	"tailscale.com/wgengine/filter/filtertype"
)

// Each conversion compiles only if NetworkMap's fields are exactly these. A new
// one has to be stored or rebuilt on load, and to be listed in netmapFields.
func _(nm netmap.NetworkMap) {
	_ = struct {
		Cached            bool
		SelfNode          tailcfg.NodeView
		AllCaps           set.Set[tailcfg.NodeCapability]
		NodeKey           key.NodePublic
		MachineKey        key.MachinePublic
		Peers             []tailcfg.NodeView
		DNS               tailcfg.DNSConfig
		PacketFilter      []filtertype.Match
		PacketFilterRules views.Slice[tailcfg.FilterRule]
		SSHPolicy         *tailcfg.SSHPolicy
		CollectServices   bool
		DERPMap           *tailcfg.DERPMap
		DisplayMessages   map[tailcfg.DisplayMessageID]tailcfg.DisplayMessage
		TKAEnabled        bool
		TKAHead           tka.AUMHash
		Domain            string
		DomainAuditLogID  string
		UserProfiles      map[tailcfg.UserID]tailcfg.UserProfileView
	}(nm)
}
