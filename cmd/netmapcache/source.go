package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/spf13/cobra"
	"tailscale.com/types/netmap"
)

// A source is where a netmap comes from.
type source struct {
	name    string // as on the command line
	store   store.Store
	cache   *netmapcache.Cache
	file    []byte // what an exported file holds; nil for a directory or etcd
	owner   string // of a directory that root looks into, if that is another user
	inFleet bool   // of a prefix in etcd that nodes share
	extra   error  // set if a file holds more than a snapshot
}

// open opens the directory, the prefix in etcd or the exported file called name, or standard input if it is "-".
func open(cmd *cobra.Command, name string) (*source, error) {
	if name == "-" {
		data, err := io.ReadAll(cmd.InOrStdin())
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return openFile(cmd.Context(), "standard input", data)
	}
	if isEtcd(name) {
		return openEtcd(cmd, name)
	}
	st, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		return openFile(cmd.Context(), name, data)
	}
	s := netmapcache.FileStore(name)
	src := &source{name: name, store: s, cache: netmapcache.NewCache(s), owner: strangeOwner(st)}
	if src.owner != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "netmapcache: %s belongs to %s, who controls what is in it\n", name, src.owner)
	}
	return src, nil
}

// info returns the Info of the root.
func (s *source) info(ctx context.Context) (netmapcache.Info, error) {
	info, err := s.cache.Info(ctx)
	return info, s.explain(ctx, err)
}

// explain returns err with the name of s. If err says that nothing is stored, but there are columns without a root, the
// result says so.
func (s *source) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, netmapcache.ErrEmpty) {
		if left := s.leftovers(ctx); left > 0 {
			err = fmt.Errorf(`the root, "self", is missing, but %d columns are there: %w`, left, netmapcache.ErrCorrupt)
		}
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// columnKey matches keys of columns, of either layout.
var columnKey = regexp.MustCompile(`^((node|misc|dns|derpmap|filter|ssh|(peers|users)-[0-9a-f]+)\.[0-9a-f]{32}|msic|dns|derpmap|filter|ssh|(peer|user)-.*)$`)

// leftovers returns the number of columns in a store that has no root. It is 0 if there is a root by now.
func (s *source) leftovers(ctx context.Context) (n int) {
	for key, err := range s.store.List(ctx, "") {
		if err == nil && columnKey.MatchString(key) {
			n++
		}
	}
	if _, err := s.store.Load(ctx, rootKey); err == nil {
		return 0
	}
	return n
}

// rootKey is the key of the root.
const rootKey = "self"

// A snapshot is what was loaded from a source.
type snapshot struct {
	*netmap.NetworkMap
	missing []netmapcache.Column // the columns that couldn't be loaded
}

// load loads the netmap in s. If partial is true, it loads what is whole.
func (s *source) load(cmd *cobra.Command, partial bool) (*snapshot, error) {
	if !partial {
		if s.extra != nil {
			return nil, s.extra
		}
		nm, err := s.cache.Load(cmd.Context())
		if err != nil {
			return nil, s.explain(cmd.Context(), err)
		}
		return &snapshot{NetworkMap: nm}, nil
	}
	nm, columns, err := s.cache.LoadPartial(cmd.Context())
	if err != nil {
		return nil, s.explain(cmd.Context(), err)
	}
	snap := &snapshot{NetworkMap: nm}
	for _, col := range columns {
		if col.Err != nil {
			snap.missing = append(snap.missing, col)
		}
	}
	if len(snap.missing) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "netmapcache: %s: incomplete, without %s\n", s.name, snap.without())
	}
	return snap, nil
}

// names returns the names of the columns that couldn't be loaded.
func (s *snapshot) names() []string {
	var names []string
	for _, col := range s.missing {
		names = append(names, col.Name)
	}
	return names
}

// without returns these names as text.
func (s *snapshot) without() string { return short(strings.Join(s.names(), ", ")) }

// status returns the error of a command that has shown s.
func (s *snapshot) status() error {
	if len(s.missing) > 0 {
		return errDamaged
	}
	return nil
}

// load opens and loads a source.
func load(cmd *cobra.Command, name string, partial bool) (*snapshot, error) {
	src, err := open(cmd, name)
	if err != nil {
		return nil, err
	}
	return src.load(cmd, partial)
}

// partialFlag adds the flag --partial to cmd.
func partialFlag(cmd *cobra.Command, partial *bool) {
	cmd.Flags().BoolVar(partial, "partial", false, "leave out what is damaged or unreadable; the exit status is then 4")
}
