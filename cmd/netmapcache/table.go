package main

import (
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A column is a column of a table.
type column struct {
	title string
	min   int  // the width that it may be cut to in a narrow terminal; 0 if it must not be cut
	wrap  bool // it is broken into several lines rather than cut
	drop  int  // if cutting isn't enough, the column with the largest value is left out first; 0 stays
}

// gap separates two columns.
const gap = "  "

// printTable prints rows under the titles of columns, if any column has one. The table fits
// into the terminal.
func printTable(w *output, columns []column, rows [][]string) {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = text.StringWidth(c.title)
		for _, row := range rows {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(row[i]))
		}
	}
	shown := fit(columns, widths, w.width)

	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", gap
	style.Color.Header = text.Colors{text.Bold}
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	var (
		header  table.Row
		configs []table.ColumnConfig
		titled  bool
	)
	for n, i := range shown {
		header = append(header, columns[i].title)
		titled = titled || columns[i].title != ""
		enforcer := func(s string, n int) string { return text.Snip(s, n, "…") }
		if columns[i].wrap {
			enforcer = text.WrapSoft
		}
		configs = append(configs, table.ColumnConfig{Number: n + 1, WidthMax: widths[i], WidthMaxEnforcer: enforcer})
	}
	if titled {
		t.AppendHeader(header)
	}
	t.SetColumnConfigs(configs)
	for _, row := range rows {
		var cells table.Row
		for _, i := range shown {
			cells = append(cells, row[i])
		}
		t.AppendRow(cells)
	}
	t.Render()
}

// fit returns the indexes of the columns that are shown within width, and lowers the
// widths of those that have to be cut. A width of 0 is unlimited.
func fit(columns []column, widths []int, width int) []int {
	shown := make([]int, len(columns))
	for i := range columns {
		shown[i] = i
	}
	if width == 0 {
		return shown
	}
	natural := slices.Clone(widths)
	for {
		over := -width
		for _, i := range shown {
			over += widths[i] + len(gap)
		}
		for over > 0 { // cut the widest column
			widest := -1
			for _, i := range shown {
				if c := columns[i]; c.min > 0 && widths[i] > c.min && (widest < 0 || widths[i] > widths[widest]) {
					widest = i
				}
			}
			if widest < 0 {
				break
			}
			widths[widest]--
			over--
		}
		if over <= 0 {
			return shown
		}
		last := slices.MaxFunc(shown, func(a, b int) int { return columns[a].drop - columns[b].drop })
		if columns[last].drop == 0 {
			return shown
		}
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == last })
		copy(widths, natural)
	}
}

// printPairs prints names and values.
func printPairs(w *output, pairs [][2]string) {
	rows := make([][]string, len(pairs))
	for i, p := range pairs {
		rows[i] = p[:]
	}
	printTable(w, []column{{}, {min: 20, wrap: true}}, rows)
}
