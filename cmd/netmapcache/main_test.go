package main

import (
	"context"
	"os"
	"strconv"
	"testing"

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
//	hostile DIR                  to store one whose peers have names that a terminal obeys
//	damage DIR PREFIX            to truncate the files of keys with that prefix
//
// and then what netmapcache is to print.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"store": func(ts *testscript.TestScript, _ bool, args []string) {
				c := netmapcache.NewCache(netmapcache.FileStore(directory(ts, args)), netmapcache.WithOwner("the-owner"))
				ts.Check(c.Store(context.Background(), netmapOf(ts, args)))
			},
			"upstream": func(ts *testscript.TestScript, _ bool, args []string) {
				c := upstream.NewCache(upstream.FileStore(directory(ts, args)))
				ts.Check(c.Store(context.Background(), netmapOf(ts, args)))
			},
			"hostile": func(ts *testscript.TestScript, _ bool, args []string) {
				nm := netmaptest.Realistic(3, 1)
				for i, name := range []string{"\x1b]0;owned\a\x1b[2J", "\u202egnp.exe", "line\nbreak"} {
					n := nm.Peers[i].AsStruct()
					n.Name = name
					nm.Peers[i] = n.View()
				}
				c := netmapcache.NewCache(netmapcache.FileStore(directory(ts, args)))
				ts.Check(c.Store(context.Background(), nm))
			},
			"damage": func(ts *testscript.TestScript, _ bool, args []string) {
				s := netmapcache.FileStore(ts.MkAbs(args[0]))
				for key, err := range s.List(context.Background(), args[1]) {
					ts.Check(err)
					ts.Check(s.Store(context.Background(), key, []byte{0x80}))
				}
			},
		},
	})
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
