package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"tailscale.com/types/netmap"
)

func showCommand() *cobra.Command {
	var asJSON, partial bool
	cmd := &cobra.Command{
		Use:   "show SOURCE",
		Short: "Show the netmap in brief, or all of it as JSON",
		Long: `Show the netmap in brief, or all of it as JSON, with the fields that
"tailscale debug netmap" prints. "netmapcache peers" lists the peers.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			snap, err := load(cmd, args[0], partial)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(out(cmd), struct {
					Missing []string `json:",omitempty"` // the columns that --partial went on without
					*netmap.NetworkMap
				}{snap.names(), snap.NetworkMap})
			} else {
				printNetmap(cmd, snap)
			}
			if err != nil {
				return err
			}
			return snap.status()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, as Tailscale writes netmaps")
	partialFlag(cmd, &partial)
	return cmd
}

func printNetmap(cmd *cobra.Command, snap *snapshot) {
	nm := snap.NetworkMap
	online := 0
	for _, p := range nm.Peers {
		if p.Online().Get() {
			online++
		}
	}
	var regions []string
	if nm.DERPMap != nil {
		for _, id := range nm.DERPMap.RegionIDs() {
			if r := nm.DERPMap.Regions[id]; r != nil {
				regions = append(regions, short(r.RegionCode))
			}
		}
	}
	var resolvers []string
	for _, r := range nm.DNS.Resolvers {
		if r != nil {
			resolvers = append(resolvers, short(r.Addr))
		}
	}
	ssh := "no policy"
	if nm.SSHPolicy != nil {
		ssh = fmt.Sprintf("%d rules", len(nm.SSHPolicy.Rules))
	}

	var pairs [][2]string
	add := func(name, value string) { pairs = append(pairs, [2]string{name, value}) }
	if len(snap.missing) > 0 {
		add("Incomplete", "without "+snap.without())
	}
	add("Tailnet", short(nm.Domain))
	if self := nm.SelfNode; self.Valid() {
		expiry := "never"
		if t := nm.SelfKeyExpiry(); !t.IsZero() {
			expiry = moment(t)
		}
		add("This node", name(self))
		add("Addresses", addresses(self))
		add("Node key", nm.NodeKey.ShortString())
		add("Key expiry", expiry)
		add("Owner", owner(nm, self))
	}
	add("Peers", fmt.Sprintf("%d, %d of them online when saved", len(nm.Peers), online))
	add("Users", fmt.Sprint(len(nm.UserProfiles)))
	add("Relays", strings.Join(regions, " "))
	add("Resolvers", strings.Join(resolvers, " "))
	add("Domains", short(strings.Join(nm.DNS.Domains, " ")))
	add("Packet filter", fmt.Sprintf("%d rules", nm.PacketFilterRules.Len()))
	add("SSH", ssh)
	add("Tailnet lock", map[bool]string{true: "enabled", false: "disabled"}[nm.TKAEnabled])
	for _, m := range nm.DisplayMessages {
		add("Health", plain(m.Title+": "+m.Text))
	}
	printPairs(out(cmd), pairs)
}
