package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
)

func clearCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "clear DIRECTORY",
		Short: "Remove the cached snapshot",
		Long: `Remove the cached snapshot, of either layout, from a directory. Files that aren't
the cache's stay, and so does the directory.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return errors.New("this can't be undone: say --yes to do it")
			}
			if st, err := os.Stat(args[0]); err != nil {
				return err
			} else if !st.IsDir() {
				return fmt.Errorf("%s: not a directory", args[0])
			}
			if err := netmapcache.NewCache(netmapcache.FileStore(args[0])).Clear(cmd.Context()); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "don't ask")
	return cmd
}
