package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"tailscale.com/types/netmap"
)

func showCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show SOURCE",
		Short: "Show the netmap in brief, or all of it as JSON",
		Long: `Show the netmap in brief, or all of it as JSON, with the fields that
"tailscale debug netmap" prints. "netmapcache peers" lists the peers.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			nm, err := load(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), nm)
			}
			printNetmap(cmd, nm)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, as Tailscale writes netmaps")
	return cmd
}

func printNetmap(cmd *cobra.Command, nm *netmap.NetworkMap) {
	online := 0
	for _, p := range nm.Peers {
		if p.Online().Get() {
			online++
		}
	}
	var regions []string
	if nm.DERPMap != nil {
		for _, id := range nm.DERPMap.RegionIDs() {
			regions = append(regions, plain(nm.DERPMap.Regions[id].RegionCode))
		}
	}
	var resolvers []string
	for _, r := range nm.DNS.Resolvers {
		resolvers = append(resolvers, plain(r.Addr))
	}
	ssh := "no policy"
	if nm.SSHPolicy != nil {
		ssh = fmt.Sprintf("%d rules", len(nm.SSHPolicy.Rules))
	}
	expiry := "never"
	if t := nm.SelfKeyExpiry(); !t.IsZero() {
		expiry = moment(t)
	}

	t := newTable(cmd.OutOrStdout())
	for _, row := range [][2]string{
		{"Tailnet", plain(nm.Domain)},
		{"This node", name(nm.SelfNode)},
		{"Addresses", addresses(nm.SelfNode)},
		{"Node key", nm.NodeKey.ShortString()},
		{"Key expiry", expiry},
		{"Owner", owner(nm, nm.SelfNode)},
		{"Peers", fmt.Sprintf("%d, %d of them online when saved", len(nm.Peers), online)},
		{"Users", fmt.Sprint(len(nm.UserProfiles))},
		{"Relays", strings.Join(regions, " ")},
		{"Resolvers", strings.Join(resolvers, " ")},
		{"Domains", plain(strings.Join(nm.DNS.Domains, " "))},
		{"Packet filter", fmt.Sprintf("%d rules", nm.PacketFilterRules.Len())},
		{"SSH", ssh},
		{"Tailnet lock", map[bool]string{true: "enabled", false: "disabled"}[nm.TKAEnabled]},
	} {
		t.AppendRow([]any{row[0], row[1]})
	}
	for _, m := range nm.DisplayMessages {
		t.AppendRow([]any{"Health", plain(m.Title + ": " + m.Text)})
	}
	t.Render()
}
