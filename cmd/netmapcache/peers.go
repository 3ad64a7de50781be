package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

func peersCommand() *cobra.Command {
	var (
		asJSON bool
		match  string
	)
	cmd := &cobra.Command{
		Use:   "peers SOURCE",
		Short: "List the peers",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			nm, err := load(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			peers := slices.DeleteFunc(slices.Clone(nm.Peers), func(p tailcfg.NodeView) bool { return !matches(nm, p, match) })
			slices.SortStableFunc(peers, func(a, b tailcfg.NodeView) int { return cmp.Compare(a.Name(), b.Name()) })
			if asJSON {
				return printJSON(cmd.OutOrStdout(), peers)
			}
			printPeers(cmd, nm, peers)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, as Tailscale writes nodes")
	cmd.Flags().StringVarP(&match, "match", "m", "", "only peers whose name, address, owner, tag or system contains this")
	return cmd
}

func printPeers(cmd *cobra.Command, nm *netmap.NetworkMap, peers []tailcfg.NodeView) {
	t := newTable(cmd.OutOrStdout(), "NAME", "ADDRESSES", "SYSTEM", "OWNER", "RELAY", "SEEN")
	for _, p := range peers {
		t.AppendRow([]any{name(p), addresses(p), system(p), owner(nm, p), relay(nm, p), seen(p)})
	}
	t.Render()
	fmt.Fprintf(cmd.OutOrStdout(), "\n%d of %d peers\n", len(peers), len(nm.Peers))
}

// matches reports whether what is listed of p contains text, in whatever case.
func matches(nm *netmap.NetworkMap, p tailcfg.NodeView, text string) bool {
	all := strings.Join([]string{name(p), addresses(p), system(p), owner(nm, p), relay(nm, p)}, "\n")
	return strings.Contains(strings.ToLower(all), strings.ToLower(text))
}

func name(n tailcfg.NodeView) string { return plain(strings.TrimSuffix(n.Name(), ".")) }

func addresses(n tailcfg.NodeView) string {
	var list []string
	for _, a := range n.Addresses().All() {
		list = append(list, plain(a.Addr().String()))
	}
	return strings.Join(list, " ")
}

func system(n tailcfg.NodeView) string {
	if !n.Hostinfo().Valid() {
		return ""
	}
	return plain(n.Hostinfo().OS())
}

// owner returns the tags of n, or else who it belongs to.
func owner(nm *netmap.NetworkMap, n tailcfg.NodeView) string {
	if n.Tags().Len() > 0 {
		return plain(strings.Join(n.Tags().AsSlice(), " "))
	}
	if u, ok := nm.UserProfiles[n.User()]; ok && u.Valid() {
		return plain(u.LoginName())
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
			return plain(r.RegionCode)
		}
	}
	return fmt.Sprint(id)
}

// seen tells whether n was online when the netmap was saved, and else when it was last.
func seen(n tailcfg.NodeView) string {
	switch online, known := n.Online().GetOk(); {
	case known && online:
		return "online"
	case n.LastSeen().Valid():
		return humanize.RelTime(n.LastSeen().Get(), time.Now(), "ago", "from now")
	default:
		return "unknown"
	}
}
