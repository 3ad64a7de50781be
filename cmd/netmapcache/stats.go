package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/fxamacker/cbor/v2"
	"github.com/spf13/cobra"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

func statsCommand() *cobra.Command {
	var (
		asJSON  bool
		largest int
	)
	cmd := &cobra.Command{
		Use:   "stats SOURCE [LATER]",
		Short: "Show what takes how many bytes, the largest peers, and growth",
		Long: `Show how many bytes each kind of column takes, and the largest peers. With LATER,
a second source, show how much each kind has grown from the first to the second.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var all []*stats
			for _, name := range args {
				src, err := open(cmd, name)
				if err != nil {
					return err
				}
				s, err := src.stats(cmd)
				if err != nil {
					return err
				}
				all = append(all, s)
			}
			last := all[len(all)-1]
			last.LargestPeers = last.LargestPeers[:min(largest, len(last.LargestPeers))]
			if len(all) == 2 {
				last.grownFrom(all[0])
			}
			if asJSON {
				return printJSON(out(cmd), last)
			}
			last.print(out(cmd), len(all) == 2)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVarP(&largest, "largest", "n", 5, "how many of the largest peers to name")
	return cmd
}

// stats says what takes how much of a snapshot.
type stats struct {
	Kinds        []kindStats // largest first
	Bytes        int64
	LargestPeers []peerStats
}

type kindStats struct {
	Kind    string
	Columns int
	Entries int
	Bytes   int64

	// Growth says how much more there is than in the earlier source.
	Growth *growth `json:",omitempty"`
}

type growth struct {
	Columns int
	Entries int
	Bytes   int64
}

type peerStats struct {
	Name     string
	StableID tailcfg.StableNodeID
	Bytes    int
}

func (s *source) stats(cmd *cobra.Command) (*stats, error) {
	ctx := cmd.Context()
	nm, columns, err := s.cache.LoadPartial(ctx)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	st := &stats{}
	kinds := make(map[string]*kindStats)
	add := func(kind string, entries int, size int64) {
		if kinds[kind] == nil {
			kinds[kind] = &kindStats{Kind: kind}
		}
		k := kinds[kind]
		k.Columns, k.Entries, k.Bytes = k.Columns+1, k.Entries+entries, k.Bytes+size
		st.Bytes += size
	}
	peers := peersByNodeID(nm)
	for _, col := range columns {
		kind, _, _ := strings.Cut(cmp.Or(col.Name, col.Key), "-")
		add(kind, col.Count, col.Size)
		if col.Err != nil || kind != "peers" && kind != "peer" {
			continue
		}
		data, err := s.store.Load(ctx, col.Key)
		if err != nil {
			continue // replaced meanwhile
		}
		if kind == "peer" { // Tailscale's layout
			st.LargestPeers = append(st.LargestPeers, peerStats{Name: short(col.Key), Bytes: len(data)})
			continue
		}
		for id, size := range sizes(data) {
			p := peerStats{Bytes: size}
			if n, ok := peers[id]; ok {
				p.Name, p.StableID = name(n), n.StableID()
			}
			st.LargestPeers = append(st.LargestPeers, p)
		}
	}
	if root, err := s.store.Load(ctx, rootKey); err == nil && kinds[rootKey] == nil {
		add(rootKey, 1, int64(len(root)))
	}
	for _, k := range kinds {
		st.Kinds = append(st.Kinds, *k)
	}
	slices.SortFunc(st.Kinds, func(a, b kindStats) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Kind, b.Kind)) })
	slices.SortFunc(st.LargestPeers, func(a, b peerStats) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name)) })
	return st, nil
}

func peersByNodeID(nm *netmap.NetworkMap) map[int64]tailcfg.NodeView {
	peers := make(map[int64]tailcfg.NodeView, len(nm.Peers))
	for _, p := range nm.Peers {
		peers[int64(p.ID())] = p
	}
	return peers
}

// sizes returns the lengths in bytes of the nodes in the part of the peers that data holds, by node ID.
func sizes(data []byte) map[int64]int {
	var nodes []cbor.RawMessage
	if cbor.Unmarshal(data, &nodes) != nil {
		return nil
	}
	found := make(map[int64]int, len(nodes))
	for _, n := range nodes {
		var node struct {
			ID int64 `cbor:"1,keyasint"`
		}
		if cbor.Unmarshal(n, &node) == nil {
			found[node.ID] = len(n)
		}
	}
	return found
}

// grownFrom sets the growth of all kinds since before.
func (s *stats) grownFrom(before *stats) {
	old := make(map[string]kindStats)
	for _, k := range before.Kinds {
		old[k.Kind] = k
	}
	for i := range s.Kinds {
		k := &s.Kinds[i]
		b := old[k.Kind]
		k.Growth = &growth{k.Columns - b.Columns, k.Entries - b.Entries, k.Bytes - b.Bytes}
		delete(old, k.Kind)
	}
	for _, b := range old {
		s.Kinds = append(s.Kinds, kindStats{Kind: b.Kind, Growth: &growth{-b.Columns, -b.Entries, -b.Bytes}})
	}
}

func (s *stats) print(w *output, grown bool) {
	columns := []column{{title: "KIND"}, {title: "COLUMNS"}, {title: "ENTRIES"}, {title: "BYTES"}, {title: "SHARE"}}
	if grown {
		columns = append(columns, column{title: "ENTRIES GROWN"}, column{title: "BYTES GROWN"})
	}
	var rows [][]string
	for _, k := range s.Kinds {
		row := []string{k.Kind, fmt.Sprint(k.Columns), fmt.Sprint(k.Entries), humanize.Comma(k.Bytes), fmt.Sprintf("%d%%", 100*k.Bytes/max(1, s.Bytes))}
		if grown {
			row = append(row, fmt.Sprintf("%+d", k.Growth.Entries), fmt.Sprintf("%+d", k.Growth.Bytes))
		}
		rows = append(rows, row)
	}
	printTable(w, columns, rows)
	fmt.Fprintf(w, "\n%s bytes in all\n", humanize.Comma(s.Bytes))
	if len(s.LargestPeers) == 0 {
		return
	}
	fmt.Fprintln(w)
	rows = nil
	for _, p := range s.LargestPeers {
		rows = append(rows, []string{p.Name, short(string(p.StableID)), humanize.Comma(int64(p.Bytes))})
	}
	printTable(w, []column{{title: "LARGEST PEERS", min: 12}, {title: "STABLE ID", min: 8}, {title: "BYTES"}}, rows)
}
