package codec

import "tailscale.com/tailcfg"

// touch reads a little of everything that n refers to. That lies scattered in memory. Read in one go, since
// nothing depends on what is read, all of it comes at the same time; encoding would meet one after
// the other and wait for each: 10,000 peers, encoded in parts, took 25.4 ms without
// and 18.9 ms with (processor time, best of 25 in turn).
func (e *encoder) touch(n *tailcfg.Node) {
	h := structOf(n.Hostinfo)
	e.touchStrings(string(n.StableID), n.Name, n.ComputedName, n.ComputedNameWithHost)
	sum := len(n.CapMap)
	if len(n.Addresses) > 0 {
		sum += n.Addresses[0].Bits()
	}
	if len(n.AllowedIPs) > 0 {
		sum += n.AllowedIPs[0].Bits()
	}
	if len(n.Endpoints) > 0 {
		sum += int(n.Endpoints[0].Port())
	}
	if len(n.Tags) > 0 {
		sum += len(n.Tags[0])
	}
	if len(n.KeySignature) > 0 {
		sum += int(n.KeySignature[0])
	}
	if n.LastSeen != nil {
		sum += n.LastSeen.Nanosecond()
	}
	if n.Online != nil && *n.Online {
		sum++
	}
	if h != nil {
		e.touchStrings(h.IPNVersion, h.BackendLogID, h.OS, h.OSVersion, h.Hostname, h.Distro, h.DistroVersion,
			h.DeviceModel, h.GoArch, h.GoVersion, h.Machine, h.ServicesHash)
		if len(h.Services) > 0 {
			sum += int(h.Services[0].Port)
		}
		if len(h.RequestTags) > 0 {
			sum += len(h.RequestTags[0])
		}
		if len(h.SSH_HostKeys) > 0 {
			sum += len(h.SSH_HostKeys[0])
		}
		if h.NetInfo != nil {
			sum += h.NetInfo.PreferredDERP
		}
	}
	e.touched += sum
}

func (e *encoder) touchStrings(list ...string) {
	for _, s := range list {
		if s != "" {
			e.touched += int(s[0])
		}
	}
}
