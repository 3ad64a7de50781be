package main

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// The functions below return texts about a node. The texts come from others, so they are made plain and short.

func name(n tailcfg.NodeView) string { return short(strings.TrimSuffix(n.Name(), ".")) }

func addresses(n tailcfg.NodeView) string {
	var list []string
	for _, a := range n.Addresses().All() {
		list = append(list, a.Addr().String())
	}
	return short(strings.Join(list, " "))
}

// firstAddress returns the address by which people know a node.
func firstAddress(n tailcfg.NodeView) string {
	if n.Addresses().Len() == 0 {
		return ""
	}
	return short(n.Addresses().At(0).Addr().String())
}

// routes are the addresses behind n.
func routes(n tailcfg.NodeView) []netip.Prefix {
	var list []netip.Prefix
	for _, p := range n.AllowedIPs().All() {
		if !n.Addresses().ContainsFunc(func(a netip.Prefix) bool { return a == p }) {
			list = append(list, p)
		}
	}
	return list
}

// join returns list as one line.
func join[T fmt.Stringer](list []T) string {
	var texts []string
	for _, v := range list {
		texts = append(texts, v.String())
	}
	return short(strings.Join(texts, " "))
}

func system(n tailcfg.NodeView) string {
	if !n.Hostinfo().Valid() {
		return ""
	}
	return short(n.Hostinfo().OS())
}

// owner returns the tags of n, or, if it has none, the user that it belongs to.
func owner(nm *netmap.NetworkMap, n tailcfg.NodeView) string {
	if n.Tags().Len() > 0 {
		return short(strings.Join(n.Tags().AsSlice(), " "))
	}
	if u, ok := nm.UserProfiles[n.User()]; ok && u.Valid() {
		return short(u.LoginName())
	}
	return fmt.Sprintf("user %d", n.User())
}

// relay returns the code of n's home DERP region.
func relay(nm *netmap.NetworkMap, n tailcfg.NodeView) string {
	id := n.HomeDERP()
	if id == 0 {
		return ""
	}
	if nm.DERPMap != nil {
		if r := nm.DERPMap.Regions[id]; r != nil {
			return short(r.RegionCode)
		}
	}
	return fmt.Sprint(id)
}

// expired reports whether n's key has expired by now.
func expired(n tailcfg.NodeView) bool {
	return n.Expired() || !n.KeyExpiry().IsZero() && n.KeyExpiry().Before(time.Now())
}

// state says whether n was online when the netmap was saved, or when it was last seen, and since when its key has
// expired.
func state(n tailcfg.NodeView) string {
	text := "unknown"
	if n.Online().Get() {
		text = "online"
	} else if n.LastSeen().Valid() {
		text = "seen " + humanize.Time(n.LastSeen().Get())
	}
	switch {
	case expired(n) && !n.KeyExpiry().IsZero():
		text += ", expired " + humanize.Time(n.KeyExpiry())
	case expired(n):
		text += ", expired"
	}
	return text
}
