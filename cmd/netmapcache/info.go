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
		Short: "Tell the age, owner and size of a snapshot without reading the netmap",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			info, err := src.cache.Info(cmd.Context())
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), info)
			}
			printInfo(cmd, info)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printInfo(cmd *cobra.Command, info netmapcache.Info) {
	t := newTable(cmd.OutOrStdout())
	if info.Upstream {
		t.AppendRow([]any{"Layout", "that of tailscale.com/ipn/ipnlocal/netmapcache, which doesn't tell more"})
		t.Render()
		return
	}
	owner := plain(info.Owner)
	if owner == "" {
		owner = "none"
	}
	t.AppendRow([]any{"Saved", moment(info.SavedAt)})
	t.AppendRow([]any{"Confirmed", moment(info.ConfirmedAt)})
	t.AppendRow([]any{"Owner", owner})
	t.AppendRow([]any{"Peers", info.Peers})
	t.AppendRow([]any{"Users", info.Users})
	t.AppendRow([]any{"Columns", info.Columns})
	t.AppendRow([]any{"Size", humanize.Bytes(uint64(info.Bytes))})
	t.AppendRow([]any{"Generation", info.Generation})
	t.Render()
}
