package main

import (
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
)

func infoCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info SOURCE",
		Short: "Show the age, owner and size of a snapshot without reading the netmap",
		Long: `Show the age, owner and size of a snapshot without reading the netmap. What
Tailscale's own cache stored has neither age nor owner, and info reads all of it
to count it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := open(cmd, args[0])
			if err != nil {
				return err
			}
			info, err := src.info(cmd.Context())
			if err != nil {
				return err
			}
			if info.Upstream {
				return printUpstreamInfo(cmd, src, asJSON)
			}
			if asJSON {
				return printJSON(out(cmd), info)
			}
			printInfo(cmd, info)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printInfo(cmd *cobra.Command, info netmapcache.Info) {
	owner := short(info.Owner)
	if owner == "" {
		owner = "none"
	}
	printPairs(out(cmd), [][2]string{
		{"Saved", past(info.SavedAt)},
		{"Confirmed", past(info.ConfirmedAt)},
		{"Owner", owner},
		{"Peers", fmt.Sprint(info.Peers)},
		{"Users", fmt.Sprint(info.Users)},
		{"Columns", fmt.Sprint(info.Columns)},
		{"Size", humanize.Bytes(uint64(info.Bytes))},
		{"Generation", fmt.Sprint(info.Generation)},
	})
}

// upstreamInfo describes a netmap that upstream's package stored.
type upstreamInfo struct {
	Upstream bool  `json:"upstream"`
	Peers    int   `json:"peers"`
	Users    int   `json:"users"`
	Keys     int   `json:"keys"`
	Bytes    int64 `json:"bytes"`
}

func printUpstreamInfo(cmd *cobra.Command, src *source, asJSON bool) error {
	nm, columns, err := src.cache.LoadPartial(cmd.Context())
	if err != nil {
		return src.explain(cmd.Context(), err)
	}
	info := upstreamInfo{Upstream: true, Peers: len(nm.Peers), Users: len(nm.UserProfiles), Keys: len(columns)}
	for _, col := range columns {
		info.Bytes += col.Size
	}
	if asJSON {
		return printJSON(out(cmd), info)
	}
	printPairs(out(cmd), [][2]string{
		{"Layout", "that of tailscale.com/ipn/ipnlocal/netmapcache, which has neither age nor owner"},
		{"Peers", fmt.Sprint(info.Peers)},
		{"Users", fmt.Sprint(info.Users)},
		{"Keys", fmt.Sprint(info.Keys)},
		{"Size", humanize.Bytes(uint64(info.Bytes))},
	})
	return nil
}
