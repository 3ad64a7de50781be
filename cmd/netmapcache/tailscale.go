package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/spf13/cobra"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
)

// exportUpstream writes the snapshot to a directory in Tailscale's layout, in one step and through this project's store.
// Tailscale's own package would write wherever links lead, and leave a mix when it is interrupted.
func (s *source) exportUpstream(cmd *cobra.Command, dir string, yes bool) error {
	if isEtcd(dir) {
		return fmt.Errorf("%s: Tailscale's own cache is a directory", dir)
	}
	snap, err := s.load(cmd, false)
	if err != nil {
		return err
	}
	target, err := openTarget(cmd, dir, yes)
	if err != nil {
		return err
	}
	if name, err := foreignFile(dir); err != nil {
		return err
	} else if name != "" {
		return fmt.Errorf("%s: Tailscale's own cache reads no directory that has other files, such as %s", dir, short(name))
	}
	// Tailscale's package doesn't store a netmap that came from a cache.
	live := *snap.NetworkMap
	live.Cached = false
	values := memstore.New()
	if err := upstream.NewCache(values).Store(cmd.Context(), &live); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	ch, err := replacement(cmd.Context(), values, target.store)
	if err == nil {
		err = store.Commit(cmd.Context(), target.store, ch)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// replacement returns the change that replaces the network map in old by what values hold.
func replacement(ctx context.Context, values, old store.Store) (store.Change, error) {
	var ch store.Change
	var root []byte
	put := make(map[string]bool)
	for key, err := range values.List(ctx, "") {
		if err != nil {
			return ch, err
		}
		value, err := values.Load(ctx, key)
		if err != nil {
			return ch, err
		}
		put[key] = true
		if key != rootKey {
			ch.Put = append(ch.Put, store.Entry{Key: key, Value: value})
			continue
		}
		root = value
	}
	ch.Put = append(ch.Put, store.Entry{Key: rootKey, Value: root}) // last, as the commit
	for key, err := range old.List(ctx, "") {
		if err != nil {
			return ch, err
		}
		if columnKey.MatchString(key) && !put[key] {
			ch.Remove = append(ch.Remove, key)
		}
	}
	return ch, nil
}

// foreignFile returns the name of a file in dir that isn't the cache's, if there is one.
func foreignFile(dir string) (string, error) {
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if _, err := hex.DecodeString(f.Name()); err != nil {
			return f.Name(), nil
		}
	}
	return "", err
}
