package codec

import "tailscale.com/tailcfg"

// cloneNode returns an exact clone of the node behind v, which must be valid.
// AsStruct alone makes nil values in a CapMap empty ones.
func cloneNode(v tailcfg.NodeView) *tailcfg.Node {
	n := v.AsStruct()
	for k, values := range v.CapMap().All() {
		if values.IsNil() {
			n.CapMap[k] = nil
		}
	}
	return n
}
