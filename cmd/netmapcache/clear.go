package main

import (
	"fmt"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
)

func clearCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "clear DIRECTORY",
		Short: "Remove the cached snapshot",
		Long: `Remove the cached snapshot, in either layout, from a directory. The directory stays,
and so do files that aren't the cache's.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			target, err := openDirectory(cmd, args[0])
			if err != nil {
				return err
			}
			if !target.holdsAnything(cmd) {
				return fmt.Errorf("%s: nothing to clear: %w", args[0], netmapcache.ErrEmpty)
			}
			if err := confirm(cmd, yes, "remove the network map in "+args[0]); err != nil {
				return err
			}
			if err := target.cache.Clear(cmd.Context()); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return nil
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}
