package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/tailcfg"
)

// A watch is a run of the command watch.
type watch struct {
	t           *testing.T
	out, errors chan string // lines
	stop        func() (status int)
}

func startWatch(t *testing.T, args ...string) *watch {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	out, outW := lines()
	errs, errW := lines()
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, append([]string{"watch", "--interval", "1ms"}, args...), nil, &output{bufio.NewWriter(outW), 0}, errW)
		outW.Close()
		errW.Close()
	}()
	return &watch{t, out, errs, func() int {
		cancel()
		return <-status
	}}
}

// lines returns a channel of the lines that are written to w.
func lines() (lines chan string, w *io.PipeWriter) {
	r, w := io.Pipe()
	lines = make(chan string, 100)
	go func() {
		for s := bufio.NewScanner(r); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}()
	return lines, w
}

func (w *watch) want(text string) {
	w.t.Helper()
	if line := <-w.out; !strings.Contains(line, text) {
		w.t.Fatalf("got the line %q, want %q in it", line, text)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	c := netmapcache.NewCache(netmapcache.FileStore(dir))
	nm := netmaptest.Realistic(20, 1)
	gone := nm.Peers[slices.IndexFunc(nm.Peers, func(p tailcfg.NodeView) bool { return p.CapMap().Len() == 0 })] // AsStruct changes nil in those

	w := startWatch(t, dir)
	if line := <-w.errors; !strings.Contains(line, "nothing is stored yet") {
		t.Errorf("got %q", line)
	}
	check(t, c.Store(t.Context(), nm))
	w.want("! stored, with 20 peers")
	check(t, c.UpdatePeers(t.Context(), nil, []tailcfg.StableNodeID{gone.StableID()}))
	w.want("- " + name(gone))
	check(t, c.UpdatePeers(t.Context(), []tailcfg.NodeView{gone}, nil))
	w.want("+ " + name(gone))
	changed := gone.AsStruct()
	changed.HomeDERP = 7
	check(t, c.UpdatePeers(t.Context(), []tailcfg.NodeView{changed.View()}, nil))
	w.want("~ " + name(gone) + ": HomeDERP: 7, was ")
	check(t, c.Clear(t.Context()))
	w.want("! cleared")
	check(t, netmapcache.FileStore(dir).Store(t.Context(), "self", []byte("rubbish")))
	w.want(`! unusable: "self": `)
	if status := w.stop(); status != 0 {
		t.Errorf("exit status %d after an interrupt", status)
	}
}

func TestWatchJSON(t *testing.T) {
	dir := t.TempDir()
	c := netmapcache.NewCache(netmapcache.FileStore(dir))
	nm := netmaptest.Realistic(5, 1)
	check(t, c.Store(t.Context(), nm))
	w := startWatch(t, "--json", dir)
	<-w.errors
	check(t, c.UpdatePeers(t.Context(), nil, []tailcfg.StableNodeID{nm.Peers[0].StableID()}))
	var got struct{ Time, Op, Peer string }
	check(t, json.Unmarshal([]byte(<-w.out), &got))
	if got.Op != "remove" || got.Peer != name(nm.Peers[0]) || got.Time == "" {
		t.Errorf("got %+v", got)
	}
}
