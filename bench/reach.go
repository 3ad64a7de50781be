package main

import (
	"fmt"
	"math"
)

// reachPeers is the size of netmap that the goals are about.
const reachPeers = 10_000

// A goal is a figure that is to be reached.
type goal struct {
	what        string
	args        string // of the command that measures it
	target      string
	figure      func(*results) float64
	baseline    func(*results) float64 // the figure that the baseline has; nil if there is none
	format      func(float64) string   // of the figure
	least, most float64
}

// goals are what this project set out to reach natively.
var goals = []goal{
	less("Load in a new process, warm page cache, CPU", opLoadWarm, unitCPU, 12),
	less("Load in a new process, page cache dropped, wall", opLoadDropped, unitWall, 20),
	less("cold Store, CPU", opColdStore, unitCPU, 15),
	less("cold Store, wall; ours is durable, upstream's not", opColdStore, unitWall, 10),
	less("identical Store, same pointers, CPU", opSameStore, unitCPU, 200),
	less("one peer changed, full Store, CPU", opOneStore, unitCPU, 50),
	less("UpdatePeers(1), CPU", opUpdatePeers, unitCPU, 1),
	less("UpdatePeers(1), CPU; upstream's made durable", opDurablePeers, unitCPU, 1),
	less("UpdateSelfOnly, CPU", opUpdateSelf, unitCPU, 3),
	less("UpdateSelfOnly, CPU; upstream's made durable", opDurableSelf, unitCPU, 3),
	part("bytes stored, apparent", unitStored, 0.45),
	part("bytes stored, allocated", unitDisk, 0.15),
	growth("growth of Load, CPU", opLoadWarm, unitCPU, 1.05),
	growth("growth of cold Store, CPU", opColdStore, unitCPU, 1.05),
	growth("growth of a one-peer change, full Store, CPU", opOneStore, unitCPU, 0.6),
	{
		what: "peak memory of Load above the netmap itself", args: onReachPeers(opLoadWarm + "," + opColdStore),
		target: "1x the bytes stored", format: formatted("%.2fx"), least: math.Inf(-1), most: 1,
		figure: func(r *results) float64 {
			return r.value(opLoadWarm, reachPeers, implOurs, unitAbove) / r.value(opColdStore, reachPeers, implOurs, unitStored)
		},
	},
}

func onReachPeers(ops string) string { return fmt.Sprintf("-ops %s -peers %d", ops, reachPeers) }

// less is the goal to spend so many times less than upstream.
func less(what, op, unit string, factor float64) goal {
	g := goal{what: what, args: onReachPeers(op), target: fmt.Sprintf("%gx less", factor), format: lessOrMore, least: factor, most: math.Inf(1)}
	if factor == 1 {
		g.target = "not more"
	}
	g.figure = func(r *results) float64 { return r.ratio(op, reachPeers, implUpstream, implOurs, unit) }
	g.baseline = func(r *results) float64 { return r.ratio(op, reachPeers, implUpstream, implBaseline, unit) }
	return g
}

// part is the goal to store at most a part of what upstream stores.
func part(what, unit string, most float64) goal {
	g := goal{what: what, args: onReachPeers(opColdStore), target: fmt.Sprintf("%.2fx", most), format: formatted("%.3fx"), least: math.Inf(-1), most: most}
	g.figure = func(r *results) float64 { return r.ratio(opColdStore, reachPeers, implOurs, implUpstream, unit) }
	return g
}

// growth is the goal that cost grows at most as a power of the number of peers.
func growth(what, op, unit string, most float64) goal {
	g := goal{what: what, args: "-ops " + op, target: fmt.Sprintf("exponent at most %.2f", most), format: formatted("exponent %.2f"), least: math.Inf(-1), most: most}
	g.figure = func(r *results) float64 { return r.exponent(op, implOurs, unit) }
	return g
}

// reachTable compares the goals with what was measured.
func reachTable(r *results) table {
	t := table{head: []string{"what", "target", "figure", "met", "baseline", "command"}}
	for _, g := range goals {
		v := g.figure(r)
		if math.IsNaN(v) {
			continue // not measured
		}
		met, baseline := "no", ""
		if g.least <= v && v <= g.most {
			met = "yes"
		}
		if g.baseline != nil {
			baseline = g.format(g.baseline(r))
		}
		t.add(g.what, g.target, g.format(v), met, baseline, fmt.Sprintf("`make bench ARGS='%s'`", g.args))
	}
	return t
}

// formatted returns a function that formats a number, or returns "" if there is none.
func formatted(format string) func(float64) string {
	return func(v float64) string { return number(format, v) }
}

// lessOrMore says how many times less v stands for, or how many times more if v is below 1.
func lessOrMore(v float64) string {
	if v < 1 {
		return number("%.3gx more", 1/v)
	}
	return number("%.3gx less", v)
}
