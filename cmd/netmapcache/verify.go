package main

import (
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
)

// A verdict is what verify finds, and prints as JSON.
type verdict struct {
	OK         bool            // all that was checked is whole
	Verifiable bool            // there are digests to check by; what Tailscale's own cache stores has none
	Error      string          `json:",omitempty"` // what makes the snapshot as a whole unusable
	Columns    []columnVerdict // none if the root can't be used
}

type columnVerdict struct {
	Name  string
	Key   string
	Size  int64
	Count int
	Error string `json:",omitempty"`
}

func verifyCommand() *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "verify SOURCE",
		Short: "Read and check every column",
		Long: `Read and check every column: that it is there, that its digest is the one that
the root names, and that it can be decoded. Verify lists what is damaged or unreadable.

What Tailscale's own cache stored has no digests. Verify can only say whether it
can be read. If it can, the exit status is 0.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := open(cmd, args[0])
			if err == nil {
				v, checkErr := src.verify(cmd)
				if checkErr == nil {
					return v.print(cmd, asJSON, all)
				}
				err = checkErr
			}
			if !errors.Is(err, netmapcache.ErrCorrupt) {
				return err
			}
			return verdict{Verifiable: true, Error: reason(err)}.print(cmd, asJSON, all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&all, "all", "a", false, "list the columns that are whole as well")
	return cmd
}

// verify checks what is stored in s. The error says that there is nothing to check.
func (s *source) verify(cmd *cobra.Command) (verdict, error) {
	info, err := s.info(cmd.Context())
	if err != nil {
		return verdict{}, err
	}
	_, columns, err := s.cache.LoadPartial(cmd.Context())
	if err != nil {
		return verdict{}, s.explain(cmd.Context(), err)
	}
	v := verdict{OK: true, Verifiable: !info.Upstream}
	for _, col := range columns {
		cv := columnVerdict{Name: col.Name, Key: col.Key, Size: col.Size, Count: col.Count}
		if col.Err != nil {
			v.OK, cv.Error = false, reason(col.Err)
		}
		v.Columns = append(v.Columns, cv)
	}
	if s.extra != nil {
		v.OK, v.Error = false, reason(s.extra)
	} else if v.OK { // then it must be possible to load it
		if _, err := s.cache.Load(cmd.Context()); err != nil {
			v.OK, v.Error = false, reason(err)
		}
	}
	return v, nil
}

func (v verdict) print(cmd *cobra.Command, asJSON, all bool) error {
	if asJSON {
		if v.Columns == nil {
			v.Columns = []columnVerdict{}
		}
		if err := printJSON(out(cmd), v); err != nil {
			return err
		}
	} else {
		v.printText(out(cmd), all)
	}
	if !v.OK {
		return errDamaged
	}
	return nil
}

func (v verdict) printText(w *output, all bool) {
	damaged := 0
	var bytes int64
	var rows [][]string
	for _, col := range v.Columns {
		bytes += col.Size
		name, state := col.Name, "whole"
		if !v.Verifiable {
			name, state = col.Key, "readable"
		}
		if col.Error != "" {
			damaged++
			state = text.FgRed.Sprint(plain(col.Error))
		}
		if all || col.Error != "" {
			rows = append(rows, []string{short(name), fmt.Sprint(col.Count), humanize.Bytes(uint64(col.Size)), state})
		}
	}
	if len(rows) > 0 {
		printTable(w, []column{{title: "COLUMN"}, {title: "ENTRIES"}, {title: "SIZE"}, {title: "STATE", min: 20, wrap: true}}, rows)
		fmt.Fprintln(w)
	}
	if v.Error != "" {
		fmt.Fprintln(w, plain(v.Error))
	}
	count := fmt.Sprintf("%s, %s", counted(len(v.Columns), "column"), humanize.Bytes(uint64(bytes)))
	switch {
	case v.OK && v.Verifiable:
		fmt.Fprintf(w, "%s: %s\n", text.FgGreen.Sprint("whole"), count)
	case v.OK:
		fmt.Fprintf(w, "readable, can't be verified: %s; Tailscale's own cache stores no digests\n", count)
	case damaged > 0:
		fmt.Fprintf(w, "%s: %d of %s\n", text.FgRed.Sprint("damaged"), damaged, counted(len(v.Columns), "column"))
	default:
		fmt.Fprintf(w, "%s\n", text.FgRed.Sprint("damaged"))
	}
}
