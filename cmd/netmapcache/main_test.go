package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/rogpeppe/go-internal/testscript"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"netmapcache": main})
}

// TestScripts runs the scripts in testdata. They say
//
//	store DIR PEERS CHANGES      to store a netmap, of which so many peers are changed
//	upstream DIR PEERS CHANGES   to have upstream's package store it
//	special DIR KIND             to store one that is as the kinds below say
//	future DIR                   to store one by a clock that is in the year 2100
//	damage DIR PREFIX            to truncate the files of keys with that prefix
//	lose DIR PREFIX              to remove them
//	unreadable DIR PREFIX        to put links in their place that lead to themselves
//	page FILE                    to have the file that the JavaScript module wrote for a page
//	cut FILE BYTES               to remove so many bytes from the end of a file
//	status N COMMAND ARG...      to check the exit status of a command
//
// and then what netmapcache is to print. The condition [root] holds for root.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("there is no condition %q", name)
			}
			return os.Geteuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"store": func(ts *testscript.TestScript, _ bool, args []string) {
				c := netmapcache.NewCache(netmapcache.FileStore(directory(ts, args)), netmapcache.WithOwner("the-owner"))
				ts.Check(c.Store(context.Background(), netmapOf(ts, args)))
			},
			"upstream": func(ts *testscript.TestScript, _ bool, args []string) {
				c := upstream.NewCache(upstream.FileStore(directory(ts, args)))
				ts.Check(c.Store(context.Background(), netmapOf(ts, args)))
			},
			"special": func(ts *testscript.TestScript, _ bool, args []string) {
				nm := netmaptest.Realistic(3, 1)
				for i := range nm.Peers {
					n := nm.Peers[i].AsStruct()
					specials[args[1]](n, i)
					nm.Peers[i] = n.View()
				}
				c := netmapcache.NewCache(netmapcache.FileStore(directory(ts, args)))
				ts.Check(c.Store(context.Background(), nm))
			},
			"future": func(ts *testscript.TestScript, _ bool, args []string) {
				clock := func() time.Time { return time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) }
				c := netmapcache.NewCache(netmapcache.FileStore(directory(ts, args)), netmapcache.WithClock(clock))
				ts.Check(c.Store(context.Background(), netmaptest.Realistic(3, 1)))
			},
			"damage": eachFile(func(path string) error { return os.WriteFile(path, []byte{0x80}, 0o600) }),
			"lose":   eachFile(os.Remove),
			"unreadable": eachFile(func(path string) error {
				return errors.Join(os.Remove(path), os.Symlink(filepath.Base(path), path))
			}),
			"page": func(ts *testscript.TestScript, _ bool, args []string) {
				data, err := os.ReadFile(filepath.Join("testdata", "page.netmap"))
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
			},
			"cut": func(ts *testscript.TestScript, _ bool, args []string) {
				st, err := os.Stat(ts.MkAbs(args[0]))
				ts.Check(err)
				n, err := strconv.ParseInt(args[1], 10, 64)
				ts.Check(err)
				ts.Check(os.Truncate(ts.MkAbs(args[0]), st.Size()-n))
			},
			"status": func(ts *testscript.TestScript, _ bool, args []string) {
				status := 0
				if err := ts.Exec(args[1], args[2:]...); err != nil {
					var exit *exec.ExitError
					if !errors.As(err, &exit) {
						ts.Fatalf("%v", err)
					}
					status = exit.ExitCode()
				}
				if strconv.Itoa(status) != args[0] {
					ts.Fatalf("exit status %d, want %s", status, args[0])
				}
			},
		},
	})
}

// specials change a node, which is the one at index i.
var specials = map[string]func(n *tailcfg.Node, i int){
	"hostile": func(n *tailcfg.Node, i int) { // names that a terminal obeys
		n.Name = []string{"\x1b]0;owned\a\x1b[2J", "\u202egnp.exe\u009b31m\u007f\U000e0001", "line\nbreak"}[i]
	},
	"slash": func(n *tailcfg.Node, i int) { n.StableID = tailcfg.StableNodeID("a/b~" + strconv.Itoa(i) + "/") },
	"year": func(n *tailcfg.Node, i int) {
		if i == 1 {
			n.Created = time.Date(12345, 6, 7, 8, 9, 10, 0, time.UTC)
		}
	},
	"kinds": func(n *tailcfg.Node, i int) {
		n.Name = []string{"expired", "router", "other"}[i] + ".example.ts.net."
		n.KeyExpiry, n.AllowedIPs = time.Time{}, n.Addresses
		switch i {
		case 0:
			n.KeyExpiry = time.Now().AddDate(-6, -1, 0)
		case 1:
			n.AllowedIPs = append(slices.Clip(n.AllowedIPs), netip.MustParsePrefix("10.99.0.0/16"))
		}
	},
	"long": func(n *tailcfg.Node, i int) {
		if i == 1 {
			n.Name = strings.Repeat("n", 50_000)
		}
	},
}

// eachFile returns a command that calls f with the files of keys that begin with a prefix.
func eachFile(f func(path string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		dir := ts.MkAbs(args[0])
		var keys []string
		for key, err := range netmapcache.FileStore(dir).List(context.Background(), args[1]) {
			ts.Check(err)
			keys = append(keys, key)
		}
		if len(keys) == 0 {
			ts.Fatalf("no key begins with %q", args[1])
		}
		for _, key := range keys {
			ts.Check(f(filepath.Join(dir, hex.EncodeToString([]byte(key)))))
		}
	}
}

// directory makes the directory that args begin with.
func directory(ts *testscript.TestScript, args []string) string {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	return dir
}

// netmapOf returns the netmap that args describe.
func netmapOf(ts *testscript.TestScript, args []string) *netmap.NetworkMap {
	peers, err := strconv.Atoi(args[1])
	ts.Check(err)
	changes, err := strconv.Atoi(args[2])
	ts.Check(err)
	nm := netmaptest.Realistic(peers, 1)
	for i := range nm.Peers {
		n := nm.Peers[i].AsStruct()
		n.Name = "peer" + strconv.Itoa(i) + ".example.ts.net."
		n.Online = new(bool)
		*n.Online = i >= changes
		nm.Peers[i] = n.View()
	}
	nm.Peers = append(nm.Peers, (&tailcfg.Node{ID: 1, StableID: "fixed", Name: "fixed.example.ts.net.", Tags: []string{"tag:test-only"}}).View())
	return nm
}
