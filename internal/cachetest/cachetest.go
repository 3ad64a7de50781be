// Package cachetest is for tests that interrupt the calls of a Cache by
// faults, kills and power cuts. It has scripts of calls, with what is cached
// after each call, and a check of what an interruption leaves.
package cachetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/types/netmap"
)

// A Script is a sequence of calls on a Cache.
type Script struct {
	Name  string
	Setup []store.Entry      // what the store holds before the first call
	Start *netmap.NetworkMap // the netmap that is cached then, or nil
	Steps []Step
}

// A Step is one call on a Cache, and the netmap that is cached after it, or nil.
type Step struct {
	Name string
	Call func(ctx context.Context, c *netmapcache.Cache) error
	Want *netmap.NetworkMap
}

// Fill stores the setup of the script in s.
func (sc Script) Fill(ctx context.Context, s store.Store) error {
	for _, e := range sc.Setup {
		if err := s.Store(ctx, e.Key, e.Value); err != nil {
			return err
		}
	}
	return nil
}

// Before returns what is cached before step i.
func (sc Script) Before(i int) *netmap.NetworkMap {
	if i == 0 {
		return sc.Start
	}
	return sc.Steps[i-1].Want
}

// Loads returns the one of wants that c loads, compared to the last bit. nil among wants means that nothing is cached.
// If c loads something else, or fails, Loads reports an error.
func Loads(ctx context.Context, c *netmapcache.Cache, wants ...*netmap.NetworkMap) (*netmap.NetworkMap, error) {
	got, err := c.Load(ctx)
	if err != nil && (!errors.Is(err, netmapcache.ErrCacheNotAvailable) || errors.Is(err, netmapcache.ErrCorrupt)) {
		return nil, fmt.Errorf("Load: %w", err)
	}
	var diffs []string
	for _, want := range wants {
		switch {
		case want == nil && got == nil:
			return nil, nil
		case want == nil:
			diffs = append(diffs, "a netmap instead of none")
		case got == nil:
			diffs = append(diffs, "no netmap instead of one")
		default:
			cached := *want
			cached.Cached = true
			diff := netmaptest.Diff(got, &cached)
			if diff == "" {
				return want, nil
			}
			diffs = append(diffs, diff)
		}
	}
	return nil, fmt.Errorf("Load gave none of the %d netmaps that it may:\n%s", len(wants), strings.Join(diffs, "\nor\n"))
}

// Recovers checks that c, on s, can store nm, that a new Cache then loads nm, and that
// nothing else is left in s.
func Recovers(ctx context.Context, s store.Store, c *netmapcache.Cache, nm *netmap.NetworkMap) error {
	if err := c.Store(ctx, nm); err != nil {
		return fmt.Errorf("Store afterwards: %w", err)
	}
	if _, err := Loads(ctx, netmapcache.NewCache(s), nm); err != nil {
		return fmt.Errorf("after Store: %w", err)
	}
	return NoOrphans(ctx, s)
}

// NoOrphans checks that s holds a snapshot and nothing else.
func NoOrphans(ctx context.Context, s store.Store) error {
	info, err := netmapcache.NewCache(s).Info(ctx)
	if err != nil {
		return fmt.Errorf("Info: %w", err)
	}
	var keys []string
	for key, err := range s.List(ctx, "") {
		if err != nil {
			return fmt.Errorf("List: %w", err)
		}
		keys = append(keys, key)
	}
	if len(keys) != info.Columns+1 {
		return fmt.Errorf("store holds %d keys for %d columns and the root: %q", len(keys), info.Columns, keys)
	}
	return nil
}
