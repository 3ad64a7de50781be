package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
	"tailscale.com/atomicfile"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
)

func exportCommand() *cobra.Command {
	var toUpstream bool
	cmd := &cobra.Command{
		Use:   "export SOURCE FILE",
		Short: "Write a snapshot to one file, or to a directory in Tailscale's layout",
		Long: `Write a snapshot to one file, which import and all other commands read. The file
tells the whole network: it is made with mode 0600. An existing file is replaced.

With --tailscale, write it to a directory in the layout of
tailscale.com/ipn/ipnlocal/netmapcache, which has neither owner nor times.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if toUpstream {
				return exportUpstream(cmd.Context(), args[0], args[1])
			}
			data, err := exported(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return atomicfile.WriteFile(args[1], data.Bytes(), 0o600)
		},
	}
	cmd.Flags().BoolVar(&toUpstream, "tailscale", false, "write Tailscale's layout to a directory, which is made if need be")
	return cmd
}

// exported returns the snapshot in the directory or file called path as Export writes it.
func exported(ctx context.Context, path string) (*bytes.Buffer, error) {
	src, err := open(ctx, path)
	if err != nil {
		return nil, err
	}
	var data bytes.Buffer
	if err := src.cache.Export(ctx, &data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &data, nil
}

func exportUpstream(ctx context.Context, from, dir string) error {
	nm, err := load(ctx, from)
	if err != nil {
		return err
	}
	if err := makeDirectory(dir); err != nil {
		return err
	}
	// Its package doesn't store a netmap that came from a cache.
	live := *nm
	live.Cached = false
	if err := upstream.NewCache(upstream.FileStore(dir)).Store(ctx, &live); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

func importCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import SOURCE DIRECTORY",
		Short: "Make a snapshot the one that is cached in a directory",
		Long: `Make a snapshot the one that is cached in a directory, in place of the one that is
cached there, with its owner and its times. The directory is made if need be.
A client that is running should be stopped before.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := exported(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := makeDirectory(args[1]); err != nil {
				return err
			}
			if err := netmapcache.NewCache(netmapcache.FileStore(args[1])).Import(cmd.Context(), data); err != nil {
				return fmt.Errorf("%s: %w", args[1], err)
			}
			return nil
		},
	}
}

// makeDirectory makes dir, for this user alone, if it doesn't exist.
func makeDirectory(dir string) error {
	return os.MkdirAll(dir, 0o700)
}
