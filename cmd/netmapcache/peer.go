package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

func peerCommand() *cobra.Command {
	var asJSON, partial bool
	cmd := &cobra.Command{
		Use:   "peer PEER SOURCE",
		Short: "Show everything about one peer, and which filter rules let it in",
		Long: `Show everything about one peer, and which rules of the packet filter let it in.
PEER is a name, whole or up to its first dot, an address of the peer or one that
it routes, a stable ID, an ID, or a key as Tailscale prints it, whole or short.
If several peers match, all are shown.`,
		Example: `  netmapcache peer db-1 DIR
  netmapcache peer 100.64.0.7 DIR
  netmapcache peer [Qx3fB] DIR`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := open(cmd, args[1])
			if err != nil {
				return err
			}
			snap, err := src.load(cmd, partial)
			if err != nil {
				return err
			}
			found := find(snap.NetworkMap, args[0])
			if len(found) == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "netmapcache: %s: no such peer among %d (\"netmapcache peers --match\" finds fragments of names)\n", plain(args[0]), len(snap.Peers))
				return errNo
			}
			if asJSON {
				err = printPeersJSON(cmd, snap.NetworkMap, found)
			} else {
				for i, p := range found {
					if i > 0 {
						fmt.Fprintln(out(cmd))
					}
					printPeer(cmd, snap.NetworkMap, p)
				}
				fmt.Fprintf(out(cmd), "\n%s%s\n", counted(len(found), "peer"), src.asOf(cmd))
			}
			if err != nil {
				return err
			}
			return snap.status()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: a list of objects with Node and Rules")
	partialFlag(cmd, &partial)
	return cmd
}

// counted returns n and the word for it.
func counted(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

// find returns the peers, or the self node, that what names.
func find(nm *netmap.NetworkMap, what string) (found []tailcfg.NodeView) {
	nodes := slices.Clone(nm.Peers)
	if nm.SelfNode.Valid() {
		nodes = append(nodes, nm.SelfNode)
	}
	addr, _ := netip.ParseAddr(what)
	for _, n := range nodes {
		if isNamed(n, what) || addr.IsValid() && n.Addresses().ContainsFunc(func(p netip.Prefix) bool { return p.Addr() == addr }) {
			found = append(found, n)
		}
	}
	if len(found) > 0 || !addr.IsValid() {
		return found
	}
	for _, n := range nodes {
		if slices.ContainsFunc(routes(n), func(p netip.Prefix) bool { return p.Bits() > 0 && p.Contains(addr) }) {
			found = append(found, n)
		}
	}
	return found
}

// isNamed reports whether what is a name, an ID or a key of n.
func isNamed(n tailcfg.NodeView, what string) bool {
	name := strings.TrimSuffix(n.Name(), ".")
	label, _, _ := strings.Cut(name, ".")
	for _, s := range []string{
		name, label, string(n.StableID()), strconv.FormatInt(int64(n.ID()), 10), n.ID().String(), n.Key().String(), n.Key().ShortString(),
		n.DiscoKey().String(), n.DiscoKey().ShortString(), n.Machine().String(),
	} {
		if s != "" && strings.EqualFold(s, strings.TrimSuffix(what, ".")) {
			return true
		}
	}
	return false
}

func printPeer(cmd *cobra.Command, nm *netmap.NetworkMap, p tailcfg.NodeView) {
	var pairs [][2]string
	add := func(name, value string) {
		if value != "" {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	add("Name", name(p))
	if p == nm.SelfNode {
		add("", "this node itself")
	}
	add("Stable ID", short(string(p.StableID())))
	add("ID", strconv.FormatInt(int64(p.ID()), 10))
	add("Addresses", addresses(p))
	add("Routes", join(routes(p)))
	add("Endpoints", join(p.Endpoints().AsSlice()))
	add("Relay", relay(nm, p))
	add("When saved", state(p))
	if p.LastSeen().Valid() {
		add("Last seen", past(p.LastSeen().Get()))
	}
	add("Created", past(p.Created()))
	if p.KeyExpiry().IsZero() {
		add("Key expiry", "never")
	} else {
		add("Key expiry", moment(p.KeyExpiry()))
	}
	add("Node key", p.Key().String()+" "+p.Key().ShortString())
	add("Disco key", p.DiscoKey().String())
	add("Machine key", p.Machine().String())
	add("Owner", owner(nm, p))
	if u, ok := nm.UserProfiles[p.User()]; ok && u.Valid() {
		add("User", short(fmt.Sprintf("%s, %s (%d)", u.LoginName(), u.DisplayName(), p.User())))
	} else {
		add("User", fmt.Sprint(p.User()))
	}
	if h := p.Hostinfo(); h.Valid() {
		add("Host name", short(h.Hostname()))
		add("System", short(strings.TrimSpace(strings.Join([]string{h.OS(), h.OSVersion(), h.Distro(), h.DistroVersion()}, " "))))
		add("Client", short(h.IPNVersion()))
	}
	var caps []string
	for c := range p.CapMap().All() {
		caps = append(caps, string(c))
	}
	slices.Sort(caps)
	add("Capabilities", short(strings.Join(caps, " ")))
	add("Flags", flags(p))
	for _, r := range rulesFor(nm, p) {
		add(fmt.Sprintf("Let in by %d", r.Rule), r.String())
	}
	if nm.PacketFilterRules.Len() > 0 && p != nm.SelfNode && len(rulesFor(nm, p)) == 0 {
		add("Let in by", fmt.Sprintf("none of %d rules", nm.PacketFilterRules.Len()))
	}
	printPairs(out(cmd), pairs)
}

// flags returns words for the properties that n has.
func flags(n tailcfg.NodeView) string {
	var words []string
	for word, is := range map[string]bool{
		"expired": n.Expired(), "jailed": n.IsJailed(), "WireGuard only": n.IsWireGuardOnly(),
		"unsigned, PeerAPI only": n.UnsignedPeerAPIOnly(), "machine not authorized": !n.MachineAuthorized(),
	} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func printPeersJSON(cmd *cobra.Command, nm *netmap.NetworkMap, peers []tailcfg.NodeView) error {
	type peer struct {
		Node  tailcfg.NodeView
		Rules []rule // of the packet filter that let it in
	}
	list := make([]peer, len(peers))
	for i, p := range peers {
		list[i] = peer{p, rulesFor(nm, p)}
	}
	return printJSON(out(cmd), list)
}
