//go:build !js

package netmapcache_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// The test binary runs itself, with these variables, as the process to be killed.
const (
	envKillPath  = "NETMAPCACHE_KILL_PATH"
	envKillFirst = "NETMAPCACHE_KILL_FIRST"
	envKillDelay = "NETMAPCACHE_KILL_DELAY" // of write-behind; empty for none
)

var killBase = netmaptest.Realistic(60, 1)

// afterCall returns what is cached after call n. Every third call is a Store of a netmap in
// which every peer is different, then a peer changes, then the self node.
func afterCall(n int) *netmap.NetworkMap {
	stored := n - n%3
	nm := *killBase
	nm.Domain = strconv.Itoa(stored)
	nm.Peers = nil
	for _, p := range killBase.Peers {
		nm.Peers = append(nm.Peers, change(p, func(n *tailcfg.Node) { n.Sharer = tailcfg.UserID(stored) }))
	}
	result := &nm
	if n > stored {
		result = netmaptest.WithPeerChanged(result, 7, uint64(stored))
	}
	if n > stored+1 {
		result = netmaptest.WithSelfChanged(result, uint64(stored))
	}
	return result
}

// TestKilledProcess is the process that TestKills kills.
func TestKilledProcess(t *testing.T) {
	path := os.Getenv(envKillPath)
	if path == "" {
		return
	}
	n, err := strconv.Atoi(os.Getenv(envKillFirst))
	if err != nil {
		t.Fatal(err)
	}
	var opts []netmapcache.Option
	if delay := os.Getenv(envKillDelay); delay != "" {
		d, err := time.ParseDuration(delay)
		if err != nil {
			t.Fatal(err)
		}
		opts = append(opts, netmapcache.WithWriteBehind(d, func(err error) { panic(err) }))
	}
	c := netmapcache.NewCache(netmapcache.FileStore(path), opts...)
	for ; ; n++ {
		nm := afterCall(n)
		switch n % 3 {
		case 0:
			err = c.Store(context.Background(), nm)
		case 1:
			err = c.UpdatePeers(context.Background(), nm.Peers[7:8], nil)
		case 2:
			err = c.UpdateSelfOnly(context.Background(), nm)
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%3 == 2 {
			if err := c.Flush(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Println("completed", n)
	}
}

// TestKills kills a process that commits, again and again on one directory. What is left
// is the snapshot of the last completed call or of the one
// under way, and the next Store leaves nothing else.
func TestKills(t *testing.T) {
	path := t.TempDir()
	s := netmapcache.FileStore(path)
	previous := cachetest.Other()
	mustStore(t, netmapcache.NewCache(s), previous)
	kills, unreported, midway := torture.Times(20, 300), 0, 0
	next := 0
	for kill := range kills {
		last, err := killProcess(t, path, next, "")
		if err != nil {
			t.Fatal(err)
		}
		wants := []*netmap.NetworkMap{previous, afterCall(next)}
		if last >= next {
			wants = []*netmap.NetworkMap{afterCall(last), afterCall(last + 1)}
		}
		c := netmapcache.NewCache(s)
		left, err := cachetest.Loads(t.Context(), c, wants...)
		if err != nil {
			t.Fatalf("kill %d, after call %d: %v", kill, last, err)
		}
		if left == wants[1] {
			unreported++
		}
		if files(t, path) != len(contents(t, s))+1 || cachetest.NoOrphans(t.Context(), s) != nil {
			midway++
		}
		if kill%2 == 0 {
			c = netmapcache.NewCache(s) // it remembers nothing
		}
		previous = netmaptest.WithSelfChanged(killBase, uint64(kill))
		if err := cachetest.Recovers(t.Context(), s, c, previous); err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		if n, want := files(t, path), len(contents(t, s))+1; n != want {
			t.Fatalf("kill %d: %d files are left after Store, want the values and the lock, %d", kill, n, want)
		}
		next = (max(last, next) + 4) / 3 * 3
	}
	t.Logf("%d kills: %d left files of an unfinished commit, %d a snapshot that was not yet reported", kills, midway, unreported)
}

// TestKillsBehind kills a process that notes changes, which are committed 3 ms later or, after every third call, by Flush.
// What is left is the whole snapshot of the last Flush or of a later call, and the next Store leaves nothing else.
func TestKillsBehind(t *testing.T) {
	path := t.TempDir()
	s := netmapcache.FileStore(path)
	previous := cachetest.Other()
	mustStore(t, netmapcache.NewCache(s), previous)
	next, flushes := 0, 0
	for kill := range torture.Times(10, 200) {
		last, err := killProcess(t, path, next, "3ms")
		if err != nil {
			t.Fatal(err)
		}
		wants := []*netmap.NetworkMap{previous}
		for n := next; n <= last+1; n++ {
			if n%3 == 2 && n <= last {
				wants = nil // what was before the Flush that followed
				flushes++
			}
			wants = append(wants, afterCall(n))
		}
		if _, err := cachetest.Loads(t.Context(), netmapcache.NewCache(s), wants...); err != nil {
			t.Fatalf("kill %d, after call %d: %v", kill, last, err)
		}
		previous = netmaptest.WithSelfChanged(killBase, uint64(kill))
		if err := cachetest.Recovers(t.Context(), s, netmapcache.NewCache(s), previous); err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		next = (last + 4) / 3 * 3
	}
	if flushes == 0 {
		t.Error("no process had flushed anything before it was killed")
	}
}

// killProcess kills a process that begins with call first, some time after it
// has completed some calls. It writes behind if delay is not empty. killProcess returns the number of the last completed call.
func killProcess(t *testing.T, path string, first int, delay string) (last int, err error) {
	p := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProcess$")
	p.Env = append(os.Environ(), envKillPath+"="+path, envKillFirst+"="+strconv.Itoa(first), envKillDelay+"="+delay)
	out, err := p.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := p.Start(); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(out)
	last = first - 1
	for range 1 + rand.IntN(6) {
		if !lines.Scan() {
			p.Process.Kill()
			return 0, errors.New("the process completed nothing")
		}
		last++
	}
	// A commit of few files takes milliseconds, on a disk.
	time.Sleep(time.Duration(rand.Int64N(int64(20 * time.Millisecond))))
	if err := p.Process.Kill(); err != nil {
		return 0, err
	}
	for lines.Scan() {
		last++
	}
	p.Wait()
	return last, nil
}

// files returns the number of files in a directory.
func files(t *testing.T, path string) int {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
