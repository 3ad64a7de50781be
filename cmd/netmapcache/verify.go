package main

import (
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
)

// verdict is what verify prints as JSON.
type verdict struct {
	OK      bool
	Error   string `json:",omitempty"` // what makes the snapshot as a whole unusable
	Columns []columnVerdict
}

type columnVerdict struct {
	Name  string
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
the root names, and that it can be decoded. Then load the whole.
The exit status is 1 if anything is damaged.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			columns, err := src.cache.Columns(cmd.Context())
			if err == nil {
				_, err = src.cache.Load(cmd.Context())
			}
			if err != nil && !errors.Is(err, netmapcache.ErrCorrupt) {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if asJSON {
				err = printVerdict(cmd, columns, err)
			} else {
				err = printColumns(cmd, columns, err, all)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&all, "all", "a", false, "list the columns that are whole as well")
	return cmd
}

// printColumns prints what is wrong with the columns, or all of them. problem is
// what makes the whole unusable, if anything does.
func printColumns(cmd *cobra.Command, columns []netmapcache.Column, problem error, all bool) error {
	damaged := 0
	var bytes int64
	t := newTable(cmd.OutOrStdout(), "COLUMN", "ENTRIES", "SIZE", "STATE")
	for _, col := range columns {
		bytes += col.Size
		state := "whole"
		if col.Err != nil {
			damaged++
			state = text.FgRed.Sprint(explain(col.Err))
		}
		if all || col.Err != nil {
			t.AppendRow([]any{col.Name, col.Count, humanize.Bytes(uint64(col.Size)), state})
		}
	}
	if t.Length() > 0 {
		t.Render()
		fmt.Fprintln(cmd.OutOrStdout())
	}
	if problem == nil {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %d columns, %s\n", text.FgGreen.Sprint("whole"), len(columns), humanize.Bytes(uint64(bytes)))
		return nil
	}
	if damaged == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), explain(problem))
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d of %d columns\n", text.FgRed.Sprint("damaged"), damaged, len(columns))
	return errNo
}

func printVerdict(cmd *cobra.Command, columns []netmapcache.Column, problem error) error {
	v := verdict{OK: problem == nil, Columns: []columnVerdict{}}
	if problem != nil {
		v.Error = problem.Error()
	}
	for _, col := range columns {
		cv := columnVerdict{Name: col.Name, Size: col.Size, Count: col.Count}
		if col.Err != nil {
			cv.Error = col.Err.Error()
		}
		v.Columns = append(v.Columns, cv)
	}
	if err := printJSON(cmd.OutOrStdout(), v); err != nil || v.OK {
		return err
	}
	return errNo
}
