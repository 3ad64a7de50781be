package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/filestore"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/types/netmap"
)

// A source is where a netmap comes from.
type source struct {
	store store.Store
	cache *netmapcache.Cache
}

// open opens the directory or the exported file called path.
func open(ctx context.Context, path string) (*source, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		s := netmapcache.FileStore(path)
		return &source{s, netmapcache.NewCache(s)}, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := memstore.New()
	c := netmapcache.NewCache(s)
	if err := c.Import(ctx, bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &source{s, c}, nil
}

// load returns the netmap in the directory or file called path.
func load(ctx context.Context, path string) (*netmap.NetworkMap, error) {
	src, err := open(ctx, path)
	if err != nil {
		return nil, err
	}
	nm, err := src.cache.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return nm, nil
}

// explain returns what err says, and what to do about it where that helps.
func explain(err error) string {
	text := strings.ReplaceAll(err.Error(), "netmapcache: ", "")
	hint := ""
	switch {
	case errors.Is(err, netmapcache.ErrCorrupt):
		hint = `"netmapcache verify" names everything that is damaged; the client's next save replaces it`
	case errors.Is(err, netmapcache.ErrFormat):
		hint = "a newer netmapcache reads it"
	case errors.Is(err, netmapcache.ErrCacheNotAvailable):
		hint = "no network map is stored there"
	case errors.Is(err, filestore.ErrUnsafeDirectory):
		hint = "who else can write there could have put anything into it; copy it to a directory of your own to look at it"
	case errors.Is(err, fs.ErrPermission):
		hint = "run it as the user that the client runs as"
	}
	if hint != "" {
		text += "\n(" + hint + ")"
	}
	return text
}
