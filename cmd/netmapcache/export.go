package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"tailscale.com/atomicfile"
)

func exportCommand() *cobra.Command {
	var toUpstream, partial, redacted, yes bool
	cmd := &cobra.Command{
		Use:   "export SOURCE FILE",
		Short: "Write a snapshot to one file, or to a directory in Tailscale's layout",
		Long: `Write a snapshot to one file, which import and all other commands read, or to
standard output if FILE is -. The file describes the whole network, so it is made
with mode 0600. An existing regular file is replaced. A link, a pipe or a device is
written to.

With --redact, pseudonyms replace names, emails, addresses, keys and IDs, so that
you can show the file to others. A name gets the same pseudonym in all exports from
this node. Addresses in one subnet stay in one subnet. The export keeps the shape
of the network, times, versions, ports, what Tailscale itself names, and sizes.
Somebody who knows this node's machine key, such as the control plane, can test
guesses.

With --tailscale, FILE is a directory in the layout of
tailscale.com/ipn/ipnlocal/netmapcache, which has neither owner nor times. If a
network map is cached there, export asks before it replaces it, as import does.

With --partial, export leaves out what is damaged. Commands read such a file with
--partial, and import refuses it.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := open(cmd, args[0])
			if err != nil {
				return err
			}
			if redacted {
				if src, err = src.redacted(cmd); err != nil {
					return err
				}
			}
			if toUpstream {
				return src.exportUpstream(cmd, args[1], yes)
			}
			data, status, err := src.exported(cmd, partial)
			if err != nil {
				return err
			}
			if err := write(cmd, args[1], data); err != nil {
				return err
			}
			return status
		},
	}
	cmd.Flags().BoolVar(&toUpstream, "tailscale", false, "write Tailscale's layout to a directory, and make it if there is none")
	cmd.Flags().BoolVar(&redacted, "redact", false, "replace the names of people, machines and networks by pseudonyms")
	partialFlag(cmd, &partial)
	yesFlag(cmd, &yes)
	cmd.MarkFlagsMutuallyExclusive("tailscale", "partial")
	cmd.MarkFlagsMutuallyExclusive("redact", "partial")
	return cmd
}

// exported returns the snapshot in s as Export writes it, and the status of the command.
func (s *source) exported(cmd *cobra.Command, partial bool) (data []byte, status, err error) {
	if partial {
		snap, err := s.load(cmd, true)
		if err != nil {
			return nil, nil, err
		}
		if status = snap.status(); status != nil {
			data, err := s.exportPartial(cmd.Context())
			return data, status, err
		}
	}
	if s.file != nil && s.extra == nil {
		if _, err := s.load(cmd, false); err != nil {
			return nil, nil, err
		}
		return s.file, nil, nil
	}
	if s.extra != nil {
		return nil, nil, s.extra
	}
	var b bytes.Buffer
	if err := s.cache.Export(cmd.Context(), &b); err != nil {
		return nil, nil, s.explain(cmd.Context(), err)
	}
	return b.Bytes(), nil, nil
}

// write writes data to the file called name, or to standard output. It replaces a regular file at once, and writes
// into anything else.
func write(cmd *cobra.Command, name string, data []byte) error {
	if name == "-" {
		if out(cmd).width > 0 {
			return errors.New("a snapshot isn't for a terminal")
		}
		_, err := out(cmd).Write(data)
		return err
	}
	st, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.Mode().IsRegular() {
		return atomicfile.WriteFile(name, data, 0o600)
	} else if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
