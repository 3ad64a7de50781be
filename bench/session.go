package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"golang.org/x/sys/unix"
	"tailscale.com/types/netmap"
)

// distinctChanges is how many netmaps the calls of an operation take in turn, so
// that each call finds a change.
const distinctChanges = 8

// hundred is how many peers are changed where many are.
const hundred = 100

// session measures the calls of a client that runs, with a cache on the empty
// directory dir.
func session(m *meter, dir string, wanted func(op string) bool) error {
	ctx := context.Background()
	nm := netmaptest.Realistic(m.peers, 1)
	c, err := openCache(m.impl, dir)
	if err != nil {
		return err
	}
	if err := coldStore(m, c, nm, dir); err != nil {
		return err
	}

	var fresh *netmap.NetworkMap
	if wanted(opEqualStore) {
		fresh = netmaptest.FreshPointers(nm)
	}
	i := m.peers / 2
	one := variants(nm, func(nm *netmap.NetworkMap, seed uint64) *netmap.NetworkMap {
		return netmaptest.WithPeerChanged(nm, i, seed)
	})
	many := variants(nm, withHundredChanged)
	self := variants(nm, netmaptest.WithSelfChanged)
	updatePeers := func(n int) error { return c.UpdatePeers(ctx, one[n%len(one)].Peers[i:i+1], nil) }
	updateSelf := func(n int) error { return c.UpdateSelfOnly(ctx, self[n%len(self)]) }
	durably := func(call func(int) error) func(int) error {
		return func(n int) error { return errors.Join(call(n), durable(m, dir)) }
	}

	for _, op := range []struct {
		name string
		call func(n int) error
	}{
		{opSameStore, func(int) error { return c.Store(ctx, nm) }},
		{opEqualStore, func(n int) error { return c.Store(ctx, []*netmap.NetworkMap{fresh, nm}[n%2]) }},
		{opOneStore, func(n int) error { return c.Store(ctx, one[n%len(one)]) }},
		{opHundredStore, func(n int) error { return c.Store(ctx, many[n%len(many)]) }},
		{opUpdatePeers, updatePeers},
		{opDurablePeers, durably(updatePeers)},
		{opUpdateSelf, updateSelf},
		{opDurableSelf, durably(updateSelf)},
		{opLoadAgain, func(int) error { _, err := c.Load(ctx); return err }},
	} {
		if !wanted(op.name) || m.impl == implMemory && slices.Contains(durableOps, op.name) {
			continue
		}
		if err := c.Store(ctx, nm); err != nil { // of which the change is one
			return err
		}
		if err := m.loop(op.name, op.call); err != nil {
			return err
		}
	}
	return nil
}

// coldStore measures the first Store of c, and the files that it makes.
func coldStore(m *meter, c cache, nm *netmap.NetworkMap, dir string) error {
	r, err := m.start(opColdStore)
	if err != nil {
		return err
	}
	if err := c.Store(context.Background(), nm); err != nil {
		return err
	}
	if err := r.end(1); err != nil {
		return err
	}
	if m.impl == implMemory || m.memory {
		return nil
	}
	if err := durable(m, dir); err != nil {
		return err
	}
	if err := r.endAs(m.impl, opColdDurable, 1); err != nil {
		return err
	}
	stored, disk, err := sizes(dir)
	m.report(m.impl, opColdStore, 1, float64(stored), unitStored, float64(disk), unitDisk)
	return err
}

// durable makes durable what was stored in dir, which all but upstream have done.
func durable(m *meter, dir string) error {
	if m.impl != implUpstream {
		return nil
	}
	return syncFileSystem(dir)
}

// variants returns netmaps that differ from nm and from each other.
func variants(nm *netmap.NetworkMap, change func(*netmap.NetworkMap, uint64) *netmap.NetworkMap) []*netmap.NetworkMap {
	all := make([]*netmap.NetworkMap, distinctChanges)
	for i := range all {
		all[i] = change(nm, uint64(i))
	}
	return all
}

// withHundredChanged returns nm with 100 peers changed, spread evenly, or all if
// it has fewer.
func withHundredChanged(nm *netmap.NetworkMap, seed uint64) *netmap.NetworkMap {
	c := *nm
	c.Peers = slices.Clone(nm.Peers)
	n := min(hundred, len(nm.Peers))
	for k := range n {
		i := k * len(nm.Peers) / n
		few := *nm
		few.Peers = nm.Peers[i : i+1]
		c.Peers[i] = netmaptest.WithPeerChanged(&few, 0, seed*hundred+uint64(k)).Peers[0]
	}
	return &c
}

// load measures the first Load of this process, from dir, and a Store thereafter.
func load(m *meter, op, dir string, wanted func(op string) bool) error {
	ctx := context.Background()
	c, err := openCache(m.impl, dir)
	if err != nil {
		return err
	}
	r, err := m.start(op)
	if err != nil {
		return err
	}
	nm, err := c.Load(ctx)
	if err != nil {
		return err
	}
	if wanted(op) {
		if err := r.end(1); err != nil {
			return err
		}
	}
	if len(nm.Peers) != m.peers {
		return fmt.Errorf("%d peers were loaded, want %d", len(nm.Peers), m.peers)
	}
	if op == opLoadDropped {
		if !wanted(opFirstStore) {
			return nil
		}
		equal := netmaptest.Realistic(m.peers, 1)
		return m.once(opFirstStore, func() error { return c.Store(ctx, equal) })
	}
	if !m.memory {
		return nil
	}
	c = nil
	return reportAbove(m, op, nm)
}

// reportAbove reports the peak of memory in use above what keep, and all that the
// process needs anyway, take.
func reportAbove(m *meter, op string, keep any) error {
	peak, err := procValue("/proc/self/status", "VmHWM:")
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	left, err := procValue("/proc/self/status", "VmRSS:")
	runtime.KeepAlive(keep)
	m.report(m.impl, op, 1, float64(peak-min(peak, left)), unitAbove)
	return err
}

// sizes returns the sizes of the files in dir, and what they and it take on disk.
func sizes(dir string) (stored, disk int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !d.IsDir() {
			stored += info.Size()
		}
		disk += info.Sys().(*syscall.Stat_t).Blocks * 512
		return nil
	})
	return stored, disk, err
}

// syncFileSystem makes all that was written to the file system of dir durable.
func syncFileSystem(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(f.Fd())))
}
