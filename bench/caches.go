package main

import (
	"context"
	"fmt"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// What is measured. The baselines are no caches: see baseline.go.
const (
	implUpstream = "upstream"          // tailscale.com's cache on its FileStore
	implOurs     = "ours"              // this project's on its FileStore
	implMemory   = "memory"            // this project's on memstore
	implBaseline = "baseline"          // the same bytes without a cache, see baseline.go
	implUnsynced = "baseline-unsynced" // likewise, if nothing has to survive a power cut
	implBytes    = "baseline-bytes"    // likewise, if nobody wants a netmap of the bytes
)

// What is measured of the caches, and of the baselines as far as it applies.
const (
	opColdStore    = "ColdStore"           // Store into an empty store, in a process that stored nothing before
	opColdDurable  = "ColdStoreDurable"    // likewise, until it would survive a power cut
	opSameStore    = "SameStore"           // Store of the netmap that was stored last
	opEqualStore   = "EqualStore"          // Store of an equal netmap that shares no memory with the last
	opOneStore     = "OneChangedStore"     // Store of a netmap in which one peer changed
	opHundredStore = "HundredChangedStore" // Store of a netmap in which 100 peers changed
	opUpdatePeers  = "UpdatePeersOne"      // UpdatePeers with one peer
	opDurablePeers = "UpdatePeersDurable"  // likewise, until it would survive a power cut
	opUpdateSelf   = "UpdateSelfOnly"      // UpdateSelfOnly with a changed self node
	opDurableSelf  = "UpdateSelfDurable"   // likewise, until it would survive a power cut
	opLoadWarm     = "LoadWarm"            // Load in a new process, files in the page cache
	opLoadDropped  = "LoadDropped"         // Load in a new process, files on the disk alone
	opLoadAgain    = "LoadAgain"           // Load in a process that has the memory for it
	opFirstStore   = "FirstStore"          // Store of an equal netmap after a Load in the same process
)

// What is measured of the baselines alone.
const (
	opMemcpy      = "Memcpy"      // of the stored bytes
	opSHA256      = "SHA256"      // of the stored bytes
	opWrite       = "Write"       // of the stored bytes to one file
	opWriteSynced = "WriteSynced" // likewise, durably, replacing the file at once
	opRead        = "Read"        // of this file in the page cache
	opValues      = "Values"      // a copy of the netmap
)

// storeOps are the operations that store, which one process measures in turn.
var storeOps = []string{opColdStore, opColdDurable, opSameStore, opEqualStore, opOneStore, opHundredStore, opUpdatePeers, opDurablePeers, opUpdateSelf, opDurableSelf}

// durableOps are those of them whose figure includes that upstream's files are made durable.
var durableOps = []string{opColdDurable, opDurablePeers, opDurableSelf}

// baselineOps are what only the baselines have, of those that a session measures.
var baselineOps = []string{opFirstStore, opMemcpy, opSHA256, opWrite, opWriteSynced, opRead, opValues}

// cache is what upstream's Cache and this project's have in common.
type cache interface {
	Load(context.Context) (*netmap.NetworkMap, error)
	Store(context.Context, *netmap.NetworkMap) error
	UpdateSelfOnly(context.Context, *netmap.NetworkMap) error
	UpdatePeers(context.Context, []tailcfg.NodeView, []tailcfg.StableNodeID) error
}

// openCache returns a cache of what dir holds.
func openCache(impl, dir string) (cache, error) {
	switch impl {
	case implUpstream:
		return upstream.NewCache(upstream.FileStore(dir)), nil
	case implOurs:
		return netmapcache.NewCache(netmapcache.FileStore(dir)), nil
	case implMemory:
		s, err := inMemory(netmapcache.FileStore(dir))
		return netmapcache.NewCache(s), err
	}
	return nil, fmt.Errorf("no cache is called %q", impl)
}

// inMemory returns a store with the values of files.
func inMemory(files netmapcache.FileStore) (*memstore.Store, error) {
	s := memstore.New()
	ctx := context.Background()
	for key, err := range files.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		value, err := files.Load(ctx, key)
		if err != nil {
			return nil, err
		}
		if err := s.Store(ctx, key, value); err != nil {
			return nil, err
		}
	}
	return s, nil
}
