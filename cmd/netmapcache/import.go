package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"
)

func importCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "import SOURCE DIRECTORY",
		Short: "Store a snapshot in a directory, in place of the one that is cached there",
		Long: `Store a snapshot in a directory, with its owner and its times, in place of the one
that is cached there. If the directory doesn't exist, import makes it. If a snapshot
is cached there, import asks before it replaces it. Stop a running client before.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := open(cmd, args[0])
			if err != nil {
				return err
			}
			data, _, err := src.exported(cmd, false)
			if err != nil {
				return err
			}
			target, err := openTarget(cmd, args[1], yes)
			if err != nil {
				return err
			}
			if err := target.cache.Import(cmd.Context(), bytes.NewReader(data)); err != nil {
				return fmt.Errorf("%s: %w", args[1], err)
			}
			return nil
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}
