package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// peersFlags say which peers are listed, and how.
type peersFlags struct {
	match, tags             []string
	online, expired, routes bool
	sort, output            string
	partial                 bool
}

func peersCommand() *cobra.Command {
	var (
		f      peersFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "peers SOURCE",
		Short: "List the peers",
		Long: `List the peers. With several conditions, a peer is listed if it meets all of them.
On a terminal the table fits the width. "-o wide" shows more.`,
		Example: `  netmapcache peers --match linux --match alice@ DIR
  netmapcache peers --match nodekey:0a1b2c DIR     # as logs name peers
  netmapcache peers --tag db --expired -o name DIR`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON {
				f.output = "json"
			}
			return listPeers(cmd, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.match, "match", "m", nil, "only peers of which a name, address, route, owner, tag, system, relay, ID or key contains this")
	flags.StringArrayVar(&f.tags, "tag", nil, "only peers with this tag")
	flags.BoolVar(&f.online, "online", false, "only peers that were online when saved")
	flags.BoolVar(&f.expired, "expired", false, "only peers whose key has expired")
	flags.BoolVar(&f.routes, "routes", false, "only peers with addresses behind them")
	flags.StringVar(&f.sort, "sort", "name", "order: "+names(orders))
	flags.StringVarP(&f.output, "output", "o", "table", "form: "+names(forms))
	flags.BoolVar(&asJSON, "json", false, `the same as "-o json"`)
	partialFlag(cmd, &f.partial)
	complete(cmd, "sort", orders)
	complete(cmd, "output", forms)
	return cmd
}

// names lists the keys of m.
func names[T any](m map[string]T) string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }

// complete makes the shell complete the values of a flag with the keys of m.
func complete[T any](cmd *cobra.Command, flag string, m map[string]T) {
	values := cobra.FixedCompletions(slices.Sorted(maps.Keys(m)), cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(flag, values); err != nil {
		panic(err) // there is no such flag
	}
}

// orders compare peers by what --sort names.
var orders = map[string]func(nm *netmap.NetworkMap, a, b tailcfg.NodeView) int{
	"name": func(_ *netmap.NetworkMap, a, b tailcfg.NodeView) int { return cmp.Compare(a.Name(), b.Name()) },
	"address": func(_ *netmap.NetworkMap, a, b tailcfg.NodeView) int {
		if n := cmp.Compare(min(1, a.Addresses().Len()), min(1, b.Addresses().Len())); n != 0 || a.Addresses().Len() == 0 {
			return n
		}
		return a.Addresses().At(0).Addr().Compare(b.Addresses().At(0).Addr())
	},
	"owner":  func(nm *netmap.NetworkMap, a, b tailcfg.NodeView) int { return cmp.Compare(owner(nm, a), owner(nm, b)) },
	"system": func(_ *netmap.NetworkMap, a, b tailcfg.NodeView) int { return cmp.Compare(system(a), system(b)) },
	"seen": func(_ *netmap.NetworkMap, a, b tailcfg.NodeView) int {
		return cmp.Or(compareBool(b.Online().Get(), a.Online().Get()), b.LastSeen().Get().Compare(a.LastSeen().Get()))
	},
	"expiry": func(_ *netmap.NetworkMap, a, b tailcfg.NodeView) int {
		return cmp.Or(compareBool(a.KeyExpiry().IsZero(), b.KeyExpiry().IsZero()), a.KeyExpiry().Compare(b.KeyExpiry()))
	},
	"created": func(_ *netmap.NetworkMap, a, b tailcfg.NodeView) int { return b.Created().Compare(a.Created()) },
}

// forms print peers as --output says.
var forms = map[string]func(cmd *cobra.Command, nm *netmap.NetworkMap, peers []tailcfg.NodeView) error{
	"json": func(cmd *cobra.Command, _ *netmap.NetworkMap, peers []tailcfg.NodeView) error {
		return printJSON(out(cmd), peers)
	},
	"name": func(cmd *cobra.Command, _ *netmap.NetworkMap, peers []tailcfg.NodeView) error {
		for _, p := range peers {
			fmt.Fprintln(out(cmd), name(p))
		}
		return nil
	},
	"table": func(cmd *cobra.Command, nm *netmap.NetworkMap, peers []tailcfg.NodeView) error {
		rows := make([][]string, len(peers))
		for i, p := range peers {
			rows[i] = []string{name(p), firstAddress(p), system(p), owner(nm, p), relay(nm, p), state(p)}
		}
		printTable(out(cmd), []column{
			{title: "NAME", min: 12}, {title: "ADDRESS", min: 15}, {title: "SYSTEM", min: 7, drop: 2},
			{title: "OWNER", min: 8}, {title: "RELAY", drop: 3}, {title: "WHEN SAVED", min: 12, drop: 1},
		}, rows)
		return nil
	},
	"wide": func(cmd *cobra.Command, nm *netmap.NetworkMap, peers []tailcfg.NodeView) error {
		rows := make([][]string, len(peers))
		for i, p := range peers {
			version := ""
			if p.Hostinfo().Valid() {
				version = short(p.Hostinfo().IPNVersion())
			}
			rows[i] = []string{name(p), addresses(p), system(p), version, owner(nm, p), relay(nm, p), state(p), join(routes(p)), short(string(p.StableID())), p.Key().ShortString()}
		}
		printTable(out(cmd), []column{
			{title: "NAME"}, {title: "ADDRESSES"}, {title: "SYSTEM"}, {title: "VERSION"}, {title: "OWNER"}, {title: "RELAY"},
			{title: "WHEN SAVED"}, {title: "ROUTES"}, {title: "STABLE ID"}, {title: "NODE KEY"},
		}, rows)
		return nil
	},
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func listPeers(cmd *cobra.Command, from string, f peersFlags) error {
	order, print := orders[f.sort], forms[f.output]
	switch {
	case order == nil:
		return fmt.Errorf("--sort %s: choose among %s", f.sort, names(orders))
	case print == nil:
		return fmt.Errorf("--output %s: choose among %s", f.output, names(forms))
	}
	src, err := open(cmd, from)
	if err != nil {
		return err
	}
	snap, err := src.load(cmd, f.partial)
	if err != nil {
		return err
	}
	nm := snap.NetworkMap
	peers := slices.DeleteFunc(slices.Clone(nm.Peers), func(p tailcfg.NodeView) bool { return !f.wants(nm, p) })
	slices.SortStableFunc(peers, func(a, b tailcfg.NodeView) int { return order(nm, a, b) })
	if err := print(cmd, nm, peers); err != nil {
		return err
	}
	if f.output == "table" || f.output == "wide" {
		fmt.Fprintf(out(cmd), "\n%d of %d peers%s\n", len(peers), len(nm.Peers), src.asOf(cmd))
	}
	return snap.status()
}

// asOf says how old the shown netmap is, as far as that is known.
func (s *source) asOf(cmd *cobra.Command) string {
	info, err := s.cache.Info(cmd.Context())
	if err != nil || info.SavedAt.IsZero() {
		return ""
	}
	if time.Until(info.SavedAt) > time.Minute {
		return ", as saved " + past(info.SavedAt)
	}
	return ", as saved " + humanize.Time(info.SavedAt)
}

// wants reports whether p meets all conditions.
func (f *peersFlags) wants(nm *netmap.NetworkMap, p tailcfg.NodeView) bool {
	if f.online && !p.Online().Get() || f.expired && !expired(p) || f.routes && len(routes(p)) == 0 {
		return false
	}
	for _, tag := range f.tags {
		if !p.Tags().ContainsFunc(func(t string) bool { return strings.TrimPrefix(t, "tag:") == strings.TrimPrefix(tag, "tag:") }) {
			return false
		}
	}
	if len(f.match) == 0 {
		return true
	}
	all := strings.ToLower(strings.Join(searched(nm, p), "\n"))
	for _, text := range f.match {
		if !strings.Contains(all, strings.ToLower(text)) {
			return false
		}
	}
	return true
}

// searched returns the texts of p that --match searches.
func searched(nm *netmap.NetworkMap, p tailcfg.NodeView) []string {
	texts := []string{
		p.Name(), string(p.StableID()), fmt.Sprint(p.ID()), owner(nm, p), system(p), relay(nm, p),
		p.Key().String(), p.Key().ShortString(), p.DiscoKey().String(), p.DiscoKey().ShortString(), p.Machine().String(),
	}
	if u, ok := nm.UserProfiles[p.User()]; ok && u.Valid() && p.Tags().Len() > 0 {
		texts = append(texts, u.LoginName())
	}
	if p.Hostinfo().Valid() {
		texts = append(texts, p.Hostinfo().Hostname())
	}
	return append(texts, addresses(p), join(routes(p)))
}
