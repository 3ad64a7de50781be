package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/wgengine/filter"
)

// The baselines do plainly what a cache does with the bytes that ours stores. A Store hashes
// them and writes them to one file. A Load reads this file, hashes the bytes, and makes
// values like those of the netmap by tailcfg's own Clone, which shares strings. They are no bounds: a Load
// of ours takes less, as it makes its values in fewer allocations than Clone.

// allFile is the file that holds all that a cache stored.
const allFile = "all"

// joinFiles writes the values that dir holds to one file in another directory.
func joinFiles(dir, into string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var all []byte
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		all = append(all, data...)
	}
	return writeFile(filepath.Join(into, allFile), all, true)
}

// writeFile writes data to path; if synced, so that path has the old or the new
// content after a power cut, and the new one if writeFile returned.
func writeFile(path string, data []byte, synced bool) error {
	if !synced {
		return os.WriteFile(path, data, 0600)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// hashed returns data after hashing it.
func hashed(data []byte) []byte {
	runtime.KeepAlive(sha256.Sum256(data))
	return data
}

// baselineSession measures the baselines of what session measures, in the empty
// directory dir, with the bytes in allDir.
func baselineSession(m *meter, dir, allDir string, wanted func(op string) bool) error {
	all, err := os.ReadFile(filepath.Join(allDir, allFile))
	if err != nil {
		return err
	}
	path := filepath.Join(dir, allFile)
	onePeer := all[:len(all)/m.peers]
	manyPeers := all[:len(onePeer)*min(hundred, m.peers)]
	store := func(data []byte) func(int) error {
		return func(int) error { return writeFile(path, hashed(data), true) }
	}
	copied := bytes.Clone(all)
	look := func(int) error { copy(copied, hashed(all)); return nil }

	unsynced := *m
	unsynced.impl = implUnsynced
	if wanted(opColdStore) {
		err := unsynced.once(opColdStore, func() error { return writeFile(filepath.Join(dir, "unsynced"), hashed(all), false) })
		if err != nil {
			return err
		}
	}
	nm := netmaptest.Realistic(m.peers, 1)
	for _, op := range []struct {
		name string
		call func(int) error
	}{
		{opColdStore, store(all)},
		{opColdDurable, store(all)},
		{opEqualStore, look},
		{opOneStore, store(onePeer)},
		{opHundredStore, store(manyPeers)},
		{opUpdatePeers, store(onePeer)},
		{opDurablePeers, store(onePeer)},
		{opUpdateSelf, store(onePeer)},
		{opDurableSelf, store(onePeer)},
		{opLoadAgain, func(int) error { return loadAgain(allDir, nm) }},
		{opFirstStore, look},
		{opMemcpy, func(int) error { copy(copied, all); return nil }},
		{opSHA256, func(int) error { hashed(all); return nil }},
		{opWrite, func(int) error { return writeFile(path, all, false) }},
		{opWriteSynced, func(int) error { return writeFile(path, all, true) }},
		{opValues, func(int) error { _, err := copyOf(nm); return err }},
		{opRead, func(int) error { return readInto(copied, filepath.Join(allDir, allFile)) }},
	} {
		if !wanted(op.name) {
			continue
		}
		if err := m.loop(op.name, op.call); err != nil {
			return err
		}
	}
	return nil
}

// readInto reads the first bytes of a file into data.
func readInto(data []byte, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.ReadFull(f, data)
	return err
}

// loadAgain does the least of a Load.
func loadAgain(allDir string, nm *netmap.NetworkMap) error {
	all, err := os.ReadFile(filepath.Join(allDir, allFile))
	if err != nil {
		return err
	}
	hashed(all)
	_, err = copyOf(nm)
	return err
}

// baselineLoad measures the baselines of op, a Load, with the bytes in allDir.
func baselineLoad(m *meter, op, allDir string) error {
	nm := netmaptest.Realistic(m.peers, 1)
	r, err := m.start(op)
	if err != nil {
		return err
	}
	all, err := os.ReadFile(filepath.Join(allDir, allFile))
	if err != nil {
		return err
	}
	hashed(all)
	if err := r.endAs(implBytes, op, 1); err != nil {
		return err
	}
	loaded, err := copyOf(nm)
	if err != nil {
		return err
	}
	runtime.KeepAlive(all) // where the strings of a netmap would be
	runtime.KeepAlive(loaded)
	return r.end(1)
}

// copyOf returns a netmap with values equal to those of nm.
func copyOf(nm *netmap.NetworkMap) (*netmap.NetworkMap, error) {
	c := &netmap.NetworkMap{
		SelfNode:     nm.SelfNode.AsStruct().View(),
		Peers:        make([]tailcfg.NodeView, len(nm.Peers)),
		DERPMap:      nm.DERPMap.Clone(),
		UserProfiles: make(map[tailcfg.UserID]tailcfg.UserProfileView, len(nm.UserProfiles)),
	}
	for i, p := range nm.Peers {
		n := p.AsStruct()
		n.Hostinfo = p.Hostinfo().AsStruct().View() // which Clone shares
		c.Peers[i] = n.View()
	}
	for id, u := range nm.UserProfiles {
		c.UserProfiles[id] = u.AsStruct().View()
	}
	var err error
	c.PacketFilter, err = filter.MatchesFromFilterRules(nm.PacketFilterRules.AsSlice())
	return c, err
}
