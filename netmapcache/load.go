package netmapcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// Load returns the cached netmap, whose Cached field is true. If there is none
// that can be used, the error satisfies errors.Is(err, [ErrCacheNotAvailable]),
// and another sentinel tells why, if that isn't just that nothing was stored.
// Any other error comes from the store, or tells that other writers were faster
// each time, as [Cache.Store] says.
//
// The fields that follow from others, NodeKey, AllCaps, PacketFilter and the display
// names of nodes, are rebuilt as a live client builds them.
func (c *Cache) Load(ctx context.Context) (*netmap.NetworkMap, error) {
	if !enabled {
		return nil, ErrCacheNotAvailable
	}
	end, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	nm, s, err := c.read(ctx)
	if err != nil {
		if errors.Is(err, ErrCorrupt) {
			c.last = nil // what it says of the store's columns isn't so
		}
		return nil, err
	}
	c.last = s
	return nm, nil
}

// base returns the snapshot that an update starts from: the one this Cache wrote
// or read last, else the stored one. If there is none, it returns errNoBase.
func (c *Cache) base(ctx context.Context) (*snapshot, error) {
	if c.last != nil {
		return c.last, nil
	}
	_, s, err := c.read(ctx)
	if err == ErrCacheNotAvailable {
		return nil, errNoBase
	} else if err != nil {
		return nil, err
	}
	c.last = s
	return s, nil
}

// read reads the stored snapshot, and makes the netmap of it. If there is
// none, the error is ErrCacheNotAvailable itself.
func (c *Cache) read(ctx context.Context) (nm *netmap.NetworkMap, s *snapshot, err error) {
	err = c.settled(ctx, func(value []byte) (err error) {
		if isUpstream(value) {
			nm, s, err = c.readUpstream(ctx, value)
		} else {
			nm, s, err = c.readColumns(ctx, value)
		}
		return err
	})
	return nm, s, err
}

// settled calls read with the value of the root, and again as long as what read finds to be
// corrupt may just have been replaced by another writer. If there is no
// root, the error is ErrCacheNotAvailable itself.
func (c *Cache) settled(ctx context.Context, read func(root []byte) error) error {
	value, err := c.loadRoot(ctx)
	for range attempts {
		if err != nil {
			return err
		}
		readErr := read(value)
		if !errors.Is(readErr, ErrCorrupt) {
			return readErr
		}
		var again []byte
		again, err = c.loadRoot(ctx)
		if err == nil && bytes.Equal(again, value) {
			return readErr
		}
		value = again
	}
	return errOutrun
}

// loadRoot returns the value of the root key, or ErrCacheNotAvailable itself.
func (c *Cache) loadRoot(ctx context.Context) ([]byte, error) {
	value, err := c.store.Load(ctx, rootKey)
	if errors.Is(err, ErrKeyNotFound) || err == nil && string(value) == cleared {
		return nil, ErrCacheNotAvailable
	} else if err != nil {
		return nil, loadError(rootKey, err)
	}
	return value, nil
}

// loadError reports why the column or key called name couldn't be loaded.
func loadError(name string, cause error) error {
	if errors.Is(cause, store.ErrDamaged) {
		return corruptBy(name, cause)
	}
	return storeError(name, cause)
}

// readColumns reads the snapshot whose root is value.
func (c *Cache) readColumns(ctx context.Context, value []byte) (*netmap.NetworkMap, *snapshot, error) {
	root, err := openRoot(value)
	if err != nil {
		return nil, nil, err
	}
	if c.owner != "" && root.Owner != c.owner {
		return nil, nil, fmt.Errorf("netmapcache: %w", ErrWrongOwner)
	}
	if age := c.now().Sub(root.Confirmed); c.maxAge > 0 && age > c.maxAge {
		return nil, nil, fmt.Errorf("netmapcache: %w", ErrExpired)
	}

	s := &snapshot{
		value: value,
		root:  root,
	}
	nm := &netmap.NetworkMap{Cached: true}
	keys := make([]string, len(root.Columns))
	for i, col := range root.Columns {
		keys[i] = columnKey(col)
	}
	i := 0
	for data, err := range store.LoadMany(ctx, c.store, keys) {
		col := root.Columns[i]
		i++
		if err := s.take(nm, col, data, err); err != nil {
			return nil, nil, err
		}
	}
	if i < len(keys) {
		return nil, nil, corrupt(columnName(root.Columns[i]), "missing")
	}
	// Only now are there known to be as many peers and users as the root says,
	// and so a good reason for as many parts.
	s.peers = s.peers.spread(root.PeerParts)
	s.users = s.users.spread(root.UserParts)
	nm.Peers = sortedPeers(s.peers.all())
	if root.UserParts > 0 {
		users := s.users.all()
		nm.UserProfiles = make(map[tailcfg.UserID]tailcfg.UserProfileView, len(users))
		for _, u := range users {
			nm.UserProfiles[u.id] = u.profile
		}
	}
	if err := derive(nm); err != nil {
		return nil, nil, err
	}
	return nm, s, nil
}

// take puts what data holds into nm and s, if it is col. data and err are what
// the store gave for the key of col.
func (s *snapshot) take(nm *netmap.NetworkMap, col format.Column, data []byte, err error) error {
	name := columnName(col)
	switch {
	case errors.Is(err, ErrKeyNotFound):
		return corrupt(name, "missing")
	case err != nil:
		return loadError(name, err)
	case uint64(len(data)) != col.Size || digestOf(data) != col.Digest:
		return corrupt(name, "digest differs")
	}
	if err := s.decode(nm, col, data); err != nil {
		return corruptBy(name, err)
	}
	return nil
}

// decode puts what data, the bytes of col, holds into nm and s.
func (s *snapshot) decode(nm *netmap.NetworkMap, col format.Column, data []byte) error {
	count, of := 1, any(nil)
	switch col.Kind {
	case format.KindNode:
		n, err := codec.DecodeNode(data)
		if err != nil {
			return err
		}
		nm.SelfNode = n.View()
		restoreDisplayNames(n)
		of = nm.SelfNode
	case format.KindMisc:
		m, err := codec.DecodeMisc(data)
		if err != nil {
			return err
		}
		setMisc(nm, m)
	case format.KindDNS:
		dns, err := codec.DecodeDNS(data)
		if err != nil {
			return err
		}
		nm.DNS = *dns
	case format.KindDERPMap:
		dm, err := codec.DecodeDERPMap(data)
		if err != nil {
			return err
		}
		nm.DERPMap, of = dm, dm
	case format.KindSSH:
		ssh, err := codec.DecodeSSH(data)
		if err != nil {
			return err
		}
		nm.SSHPolicy, of = ssh, ssh
	case format.KindFilter:
		rules, err := codec.DecodeFilter(data)
		if err != nil {
			return err
		}
		nm.PacketFilterRules = views.SliceOf(rules)
		count = len(rules)
		if count > 0 {
			of = nm.PacketFilterRules.MapKey()
		}
	case format.KindPeers:
		nodes, err := codec.DecodePeers(data)
		if err != nil {
			return err
		}
		part := make([]tailcfg.NodeView, len(nodes))
		for i, n := range nodes {
			restoreDisplayNames(n)
			part[i] = n.View()
		}
		count = len(part)
		peerOps.put(&s.peers, col, part)
	case format.KindUsers:
		users, err := codec.DecodeUsers(data)
		if err != nil {
			return err
		}
		part := make([]user, len(users))
		for i, u := range users {
			if u.Profile == nil {
				return errors.New("no user profile")
			}
			part[i] = user{u.ID, u.Profile.View()}
		}
		count = len(part)
		userOps.put(&s.users, col, part)
	}
	if uint64(count) != col.Count {
		return errors.New("count differs")
	}
	if !partitioned(col.Kind) {
		s.single[col.Kind] = &column{Column: col, data: data, of: of}
	}
	return nil
}
