package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/wI2L/jsondiff"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

func diffCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff SOURCE SOURCE",
		Short: "Tell how two netmaps differ",
		Long: `Tell how the second netmap differs from the first: which peers were added (+) or
removed (-), and which fields differ (~). Peers are matched by their stable IDs.
The exit status is 1 if there is any difference.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var netmaps [2]*netmap.NetworkMap
			for i, path := range args {
				nm, err := load(cmd.Context(), path)
				if err != nil {
					return err
				}
				netmaps[i] = nm
			}
			patch, err := compare(netmaps[0], netmaps[1])
			if err != nil {
				return err
			}
			if asJSON {
				if patch == nil {
					patch = jsondiff.Patch{}
				}
				err = printJSON(cmd.OutOrStdout(), patch)
			} else {
				printPatch(cmd, patch, netmaps)
			}
			if err == nil && len(patch) > 0 {
				err = errNo
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON Patch (RFC 6902), with the peers in an object by stable ID")
	return cmd
}

// compare returns what has to be done to a's JSON to get b's.
func compare(a, b *netmap.NetworkMap) (jsondiff.Patch, error) {
	var texts [2][]byte
	for i, nm := range []*netmap.NetworkMap{a, b} {
		brief := *nm
		brief.Peers = nil
		brief.PacketFilter, brief.AllCaps = nil, nil // they follow from others
		text, err := json.Marshal(struct {
			netmap.NetworkMap
			Peers map[string]tailcfg.NodeView
		}{brief, peersByID(nm)})
		if err != nil {
			return nil, fmt.Errorf("netmap as JSON: %w", err)
		}
		texts[i] = text
	}
	exact := func(text []byte, v any) error { // large IDs are no float64
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		return d.Decode(v)
	}
	return jsondiff.CompareJSON(texts[0], texts[1], jsondiff.UnmarshalFunc(exact))
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

func printPatch(cmd *cobra.Command, patch jsondiff.Patch, netmaps [2]*netmap.NetworkMap) {
	before, after := peersByID(netmaps[0]), peersByID(netmaps[1])
	for _, op := range patch {
		path := unescape.Replace(op.Path)
		id, isPeer := strings.CutPrefix(path, "/Peers/")
		id, field, inside := strings.Cut(id, "/")
		if isPeer && inside {
			path = name(after[id]) + ": " + field
		}
		path = plain(path)
		var line string
		switch {
		case isPeer && !inside && op.Type == jsondiff.OperationAdd:
			line = text.FgGreen.Sprintf("+ %s (%s)", name(after[id]), addresses(after[id]))
		case isPeer && !inside && op.Type == jsondiff.OperationRemove:
			line = text.FgRed.Sprintf("- %s (%s)", name(before[id]), addresses(before[id]))
		case op.Type == jsondiff.OperationAdd:
			line = fmt.Sprintf("~ %s: set to %s", path, short(op.Value))
		case op.Type == jsondiff.OperationRemove:
			line = fmt.Sprintf("~ %s: removed, was %s", path, short(op.OldValue))
		default:
			line = fmt.Sprintf("~ %s: %s, was %s", path, short(op.Value), short(op.OldValue))
		}
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
}

// unescape makes the parts of a JSON pointer (RFC 6901) readable.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// maxShown is how many bytes of a value diff shows.
const maxShown = 200

// short returns v as JSON that fits on a line or two.
func short(v any) string {
	var b bytes.Buffer
	if err := printJSON(&b, v); err != nil {
		return err.Error()
	}
	var line bytes.Buffer
	if err := json.Compact(&line, b.Bytes()); err != nil {
		return err.Error()
	}
	text := plain(line.String())
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}
