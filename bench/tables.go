package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/perf/benchunit"
)

// An operation is a row of the tables.
type operation struct{ op, title string }

var operations = []operation{
	{opColdStore, "cold Store into an empty store"},
	{opColdDurable, "the same, made durable"},
	{opSameStore, "identical Store, same pointers"},
	{opEqualStore, "identical Store, fresh pointers"},
	{opOneStore, "one peer changed, full Store"},
	{opHundredStore, "100 peers changed, full Store"},
	{opUpdatePeers, "one peer changed, UpdatePeers"},
	{opDurablePeers, "the same, made durable"},
	{opUpdateSelf, "UpdateSelfOnly"},
	{opDurableSelf, "the same, made durable"},
	{opLoadWarm, "Load in a new process, page cache warm"},
	{opLoadDropped, "Load in a new process, page cache dropped"},
	{opLoadAgain, "Load again in the same process"},
	{opFirstStore, "first Store after a Load, nothing changed"},
}

// baselineParts are the parts that the baselines are made of.
var baselineParts = []operation{
	{opMemcpy, "copy the bytes"},
	{opSHA256, "hash them with SHA-256"},
	{opWrite, "write them to one file"},
	{opWriteSynced, "write them to one file, durably, atomically"},
	{opRead, "read this file, page cache warm"},
	{opValues, "copy the netmap by tailcfg's Clone"},
}

func allOps() (ops []string) {
	for _, o := range slices.Concat(operations, baselineParts) {
		ops = append(ops, o.op)
	}
	return ops
}

// A section is a table of the report.
type section struct {
	id    string // of its place in a document
	title string
	text  func(*results) string
}

var sections = []section{
	{"machine", "The machine", machineText},
	{"reach", "Targets", func(r *results) string { return reachTable(r).String() }},
	{"cpu", "Processor time (user and system)", func(r *results) string { return timeTable(r, unitCPU).String() }},
	{"wall", "Time that passes", func(r *results) string { return timeTable(r, unitWall).String() }},
	{"baseline", "What the baseline consists of", func(r *results) string { return baselineTable(r).String() }},
	{"growth", "Upstream's processor time in relation to ours, and growth", func(r *results) string { return growthTable(r).String() }},
	{"memory", "Memory", func(r *results) string { return memoryTable(r).String() }},
	{"disk", "Writes and system calls", func(r *results) string { return diskTable(r).String() }},
	{"stored", "Bytes stored", func(r *results) string { return storedTable(r).String() }},
	{"pictures", "", picturesText},
}

// mainPeers is the size that tables are about which have one.
func mainPeers(r *results) int {
	peers := r.peers()
	if slices.Contains(peers, reachPeers) {
		return reachPeers
	}
	return slices.Max(peers)
}

func machineText(r *results) string {
	c := r.config
	repetitions := 0
	for _, units := range r.samples {
		repetitions = max(repetitions, len(units[unitWall]))
	}
	var t table
	t.head = []string{"", ""}
	for _, row := range [][2]string{
		{"processor", c["cpu"] + ", " + c["cores"] + " cores"},
		{"memory", c["memory"]},
		{"system", c["kernel"] + ", " + c["goos"] + "/" + c["goarch"] + ", " + c["file-system"]},
		{"Go", c["go"]},
		{"upstream", "tailscale.com " + c["tailscale"]},
		{"page cache dropped", c["dropped"]},
		{"load average before", c["load-before"]},
		{"repetitions", strconv.Itoa(repetitions)},
	} {
		t.add(row[:]...)
	}
	return t.String()
}

func timeTable(r *results, unit string) table {
	peers := mainPeers(r)
	t := table{head: []string{thousands(peers) + " peers", "upstream", "ours", "upstream / ours", "on memstore", "baseline", "ours / baseline"}}
	for _, o := range operations {
		cell := func(impl string) string { return r.cell(o.op, peers, impl, unit, "s") }
		t.add(o.title, cell(implUpstream), cell(implOurs), times(r.ratio(o.op, peers, implUpstream, implOurs, unit)),
			cell(implMemory), cell(implBaseline), times(r.ratio(o.op, peers, implOurs, implBaseline, unit)))
	}
	for _, l := range []struct{ op, impl, title string }{
		{opColdStore, implUnsynced, "baseline of cold Store without durability"},
		{opLoadWarm, implBytes, "baseline of Load without making a netmap"},
		{opLoadDropped, implBytes, "the same, page cache dropped"},
	} {
		t.add(l.title, "", "", "", "", r.cell(l.op, peers, l.impl, unit, "s"),
			times(r.value(l.op, peers, implOurs, unit)/r.value(l.op, peers, l.impl, unit)))
	}
	return t
}

func baselineTable(r *results) table {
	peers := mainPeers(r)
	t := table{head: []string{thousands(peers) + " peers", "CPU", "wall"}}
	for _, o := range baselineParts {
		t.add(o.title, r.cell(o.op, peers, implBaseline, unitCPU, "s"), r.cell(o.op, peers, implBaseline, unitWall, "s"))
	}
	return t
}

func growthTable(r *results) table {
	t := table{head: []string{"peers"}}
	for _, peers := range r.peers() {
		t.head = append(t.head, thousands(peers))
	}
	t.head = append(t.head, "exponent, upstream", "exponent, ours")
	for _, o := range operations {
		row := []string{o.title}
		for _, peers := range r.peers() {
			row = append(row, times(r.ratio(o.op, peers, implUpstream, implOurs, unitCPU)))
		}
		t.add(append(row, number("%.2f", r.exponent(o.op, implUpstream, unitCPU)), number("%.2f", r.exponent(o.op, implOurs, unitCPU)))...)
	}
	return t
}

func memoryTable(r *results) table {
	peers := mainPeers(r)
	t := table{head: []string{thousands(peers) + " peers", "allocated: upstream", "ours", "values: upstream", "ours", "peak: upstream", "ours"}}
	for _, o := range operations {
		if slices.Contains(durableOps, o.op) {
			continue
		}
		cell := func(impl, unit, suffix string) string { return r.cell(o.op, peers, impl, unit, suffix) }
		t.add(o.title, cell(implUpstream, unitBytes, "B"), cell(implOurs, unitBytes, "B"),
			cell(implUpstream, unitAllocs, ""), cell(implOurs, unitAllocs, ""),
			cell(implUpstream, unitPeak, "B"), cell(implOurs, unitPeak, "B"))
	}
	t.add("peak of Load above the netmap itself", "", "", "", "",
		r.cell(opLoadWarm, peers, implUpstream, unitAbove, "B"), r.cell(opLoadWarm, peers, implOurs, unitAbove, "B"))
	return t
}

func diskTable(r *results) table {
	peers := mainPeers(r)
	t := table{head: []string{thousands(peers) + " peers", "written: upstream", "ours", "system calls: upstream", "ours", "baseline"}}
	for _, o := range operations {
		if slices.Contains(durableOps, o.op) || o.op == opLoadDropped {
			continue
		}
		cell := func(impl, unit, suffix string) string { return r.cell(o.op, peers, impl, unit, suffix) }
		t.add(o.title, cell(implUpstream, unitWritten, "B"), cell(implOurs, unitWritten, "B"),
			cell(implUpstream, unitCalls, ""), cell(implOurs, unitCalls, ""), cell(implBaseline, unitCalls, ""))
	}
	return t
}

func storedTable(r *results) table {
	t := table{head: []string{"peers", "sizes of files: upstream", "ours", "ours / upstream", "blocks: upstream", "ours", "ours / upstream"}}
	for _, peers := range r.peers() {
		cell := func(impl, unit string) string { return r.cell(opColdStore, peers, impl, unit, "B") }
		share := func(unit string) string {
			return number("%.3f", r.ratio(opColdStore, peers, implOurs, implUpstream, unit))
		}
		t.add(thousands(peers), cell(implUpstream, unitStored), cell(implOurs, unitStored), share(unitStored),
			cell(implUpstream, unitDisk), cell(implOurs, unitDisk), share(unitDisk))
	}
	return t
}

// cell returns the median of what was measured in a unit for people, and its
// spread if that is worth telling.
func (r *results) cell(op string, peers int, impl, unit, suffix string) string {
	samples := r.samples[name{op, peers, impl}][unit]
	if len(samples) == 0 {
		return ""
	}
	s := scaled(median(samples), suffix)
	if percent := 100 * spread(samples); percent >= 1 {
		s += fmt.Sprintf(" ±%.0f%%", percent)
	}
	return s
}

// scaled writes v with a prefix of its unit. Counts, whose unit is "", and bytes
// are whole where they have no prefix.
func scaled(v float64, unit string) string {
	if v < 1000 && unit != "s" {
		return strings.TrimSpace(fmt.Sprintf("%.0f %s", v, unit))
	}
	s := benchunit.Scale(v, benchunit.Decimal)
	digits := strings.TrimRight(s, "kMGTmµn")
	return strings.TrimSpace(digits + " " + s[len(digits):] + unit)
}

// times writes a ratio with two or three digits.
func times(ratio float64) string {
	switch {
	case ratio < 10:
		return number("%.2fx", ratio)
	case ratio < 100:
		return number("%.1fx", ratio)
	}
	return number("%.0fx", ratio)
}

// thousands writes n with commas.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// number formats v, or returns "" if there is none.
func number(format string, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return fmt.Sprintf(format, v)
}

// A table is printed as Markdown, in columns, so that people can read it as well.
type table struct {
	head []string
	rows [][]string
}

// add adds a row, unless it is empty but for the first cell.
func (t *table) add(cells ...string) {
	if slices.ContainsFunc(cells[1:], func(s string) bool { return s != "" }) {
		t.rows = append(t.rows, cells)
	}
}

func (t table) String() string {
	if len(t.rows) == 0 {
		return ""
	}
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c), 3)
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for i, c := range row {
			fmt.Fprintf(&b, "| %s%s ", c, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)))
		}
		b.WriteString("|\n")
	}
	line(t.head)
	for i := range widths {
		b.WriteString("|" + strings.Repeat("-", widths[i]+2))
	}
	b.WriteString("|\n")
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}
