package main

import (
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/spf13/cobra"
)

func dumpCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dump SOURCE [PREFIX]",
		Short: "Print what is stored in CBOR diagnostic notation",
		Long: `Print the values whose keys begin with PREFIX, or all, in CBOR diagnostic
notation (RFC 8949, section 8). docs/format.cddl tells what the numbers mean.
What isn't CBOR is printed as JSON text, or in hexadecimal.`,
		Example: `  netmapcache dump DIR self      # the root
  netmapcache dump DIR peers-0.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			prefix := ""
			if len(args) > 1 {
				prefix = args[1]
			}
			for key, err := range src.store.List(cmd.Context(), prefix) {
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				value, err := src.store.Load(cmd.Context(), key)
				if err != nil {
					return fmt.Errorf("%s: %q: %w", args[0], key, err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "# %s, %d bytes\n%s\n\n", plain(key), len(value), diagnose(value))
			}
			return nil
		},
	}
	return cmd
}

// The default limits for arrays and maps are lower than what large networks need.
var diagnostic, _ = cbor.DiagOptions{MaxArrayElements: 1 << 26, MaxMapPairs: 1 << 26}.DiagMode()

// diagnose returns value in a form for people.
func diagnose(value []byte) string {
	if text, err := diagnostic.Diagnose(value); err == nil {
		return text
	}
	if json.Valid(value) {
		return plain(string(value))
	}
	return fmt.Sprintf("h'%x'", value)
}
