package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/wI2L/jsondiff"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

func diffCommand() *cobra.Command {
	var asJSON, stat, partial bool
	cmd := &cobra.Command{
		Use:   "diff SOURCE SOURCE",
		Short: "Show how two netmaps differ",
		Long: `Show how the second netmap differs from the first: which peers were added (+) or
removed (-), and which fields differ (~). Peers are matched by their stable IDs.
The exit status is 1 if there is any difference.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "-" && args[1] == "-" {
				return errors.New("both sources can't be standard input")
			}
			var snaps [2]*snapshot
			for i, name := range args {
				snap, err := load(cmd, name, partial)
				if err != nil {
					return err
				}
				snaps[i] = snap
			}
			patch, err := compare(snaps[0].NetworkMap, snaps[1].NetworkMap)
			if err != nil {
				return err
			}
			changes := changesOf(patch, snaps[0].NetworkMap, snaps[1].NetworkMap)
			switch {
			case asJSON:
				if patch == nil {
					patch = jsondiff.Patch{}
				}
				err = printJSON(out(cmd), patch)
			case stat:
				printStat(out(cmd), changes)
			default:
				for _, c := range changes {
					fmt.Fprintln(out(cmd), c)
				}
			}
			if err == nil && len(patch) > 0 {
				err = errNo
			}
			return cmp.Or(snaps[0].status(), snaps[1].status(), err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON Patch (RFC 6902), with the peers in an object by stable ID")
	cmd.Flags().BoolVar(&stat, "stat", false, "only count what differs")
	cmd.MarkFlagsMutuallyExclusive("json", "stat")
	partialFlag(cmd, &partial)
	return cmd
}

// compare returns the patch that turns a's JSON into b's.
func compare(a, b *netmap.NetworkMap) (jsondiff.Patch, error) {
	peers := [2]map[string]tailcfg.NodeView{peersByID(a), peersByID(b)}
	if err := dropEqual(peers[0], peers[1]); err != nil {
		return nil, err
	}
	var texts [2][]byte
	for i, nm := range []*netmap.NetworkMap{a, b} {
		brief := *nm
		brief.Peers = nil
		brief.PacketFilter, brief.AllCaps = nil, nil // they follow from other fields
		text, err := json.Marshal(struct {
			netmap.NetworkMap
			Peers map[string]tailcfg.NodeView
		}{brief, peers[i]}, toJSON)
		if err != nil {
			return nil, fmt.Errorf("netmap as JSON: %w", err)
		}
		texts[i] = text
	}
	return jsondiff.CompareJSON(texts[0], texts[1], jsondiff.UnmarshalFunc(unmarshalExactly))
}

// dropEqual removes the peers that have the same JSON in a and b from both. Most peers have,
// and comparing them in detail takes long.
func dropEqual(a, b map[string]tailcfg.NodeView) error {
	for id, before := range a {
		after, ok := b[id]
		if !ok {
			continue
		}
		var texts [2][]byte
		for i, p := range []tailcfg.NodeView{before, after} {
			text, err := json.Marshal(p, toJSON)
			if err != nil {
				return fmt.Errorf("peer as JSON: %w", err)
			}
			texts[i] = text
		}
		if bytes.Equal(texts[0], texts[1]) {
			delete(a, id)
			delete(b, id)
		}
	}
	return nil
}

// peersByID returns the peers of nm by stable ID, and by ID as well where that isn't unique.
func peersByID(nm *netmap.NetworkMap) map[string]tailcfg.NodeView {
	peers := make(map[string]tailcfg.NodeView)
	for _, p := range nm.Peers {
		id := string(p.StableID())
		if _, taken := peers[id]; taken || id == "" {
			id += "#" + strconv.FormatInt(int64(p.ID()), 10)
		}
		peers[id] = p
	}
	return peers
}

// A change is one difference between two netmaps.
type change struct {
	Op    string // jsondiff's: add, remove or replace
	Peer  string `json:",omitempty"` // its name
	Field string `json:",omitempty"` // with those above it, by "/"; none if a whole peer comes or goes
	Value any    `json:",omitempty"`
	Was   any    `json:",omitempty"`

	addresses string // of a whole peer
}

// changesOf returns the changes of patch, from before to after.
func changesOf(patch jsondiff.Patch, before, after *netmap.NetworkMap) []change {
	nodes := [2]map[string]tailcfg.NodeView{peersByID(before), peersByID(after)}
	changes := make([]change, len(patch))
	for i, op := range patch {
		c := change{Op: op.Type, Value: op.Value, Was: op.OldValue}
		path := strings.Split(op.Path, "/")[1:] // a JSON pointer (RFC 6901)
		for j := range path {
			path[j] = unescape.Replace(path[j])
		}
		if len(path) > 1 && path[0] == "Peers" {
			p, ok := nodes[1][path[1]]
			if !ok {
				p = nodes[0][path[1]]
			}
			c.Peer = cmp.Or(name(p), short(path[1]))
			if path = path[2:]; len(path) == 0 {
				c.addresses = addresses(p)
			}
		}
		c.Field = strings.Join(path, "/")
		changes[i] = c
	}
	return changes
}

// unescape makes a part of a JSON pointer readable.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// String returns c as one line.
func (c change) String() string {
	if c.Field == "" && c.Peer != "" {
		switch c.Op {
		case jsondiff.OperationAdd:
			return text.FgGreen.Sprintf("+ %s (%s)", c.Peer, c.addresses)
		case jsondiff.OperationRemove:
			return text.FgRed.Sprintf("- %s (%s)", c.Peer, c.addresses)
		}
	}
	what := short(c.Field)
	if c.Peer != "" {
		what = c.Peer + ": " + what
	}
	switch c.Op {
	case jsondiff.OperationAdd:
		return fmt.Sprintf("~ %s: set to %s", what, brief(c.Value))
	case jsondiff.OperationRemove:
		return fmt.Sprintf("~ %s: removed, was %s", what, brief(c.Was))
	}
	return fmt.Sprintf("~ %s: %s, was %s", what, brief(c.Value), brief(c.Was))
}

// brief returns v as JSON that fits on a line or two.
func brief(v any) string {
	text, err := json.Marshal(v, toJSON)
	if err != nil {
		return plain(err.Error())
	}
	return short(string(text))
}

// printStat counts changes: of peers, and of fields, whatever is below them.
func printStat(w *output, changes []change) {
	var added, removed int
	fields, changed := make(map[string]int), make(map[string]bool)
	for _, c := range changes {
		switch field, _, _ := strings.Cut(c.Field, "/"); {
		case c.Peer == "":
			fields[field]++
		case c.Field != "":
			changed[c.Peer] = true
			fields["peers: "+field]++
		case c.Op == jsondiff.OperationAdd:
			added++
		case c.Op == jsondiff.OperationRemove:
			removed++
		}
	}
	fmt.Fprintf(w, "%s added, %d removed, %d changed\n", counted(added, "peer"), removed, len(changed))
	var rows [][]string
	for field, n := range fields {
		rows = append(rows, []string{"~ " + short(field), strconv.Itoa(n)})
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	if len(rows) > 0 {
		printTable(w, []column{{}, {}}, rows)
	}
}
