//go:build !js

package ipncache

import (
	"context"
	"errors"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/filestore"
	"tailscale.com/feature/buildfeatures"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnlocal"
)

// ProfileDir keeps netmaps as files, for use as [Options].Open. The files of a profile are in the folder netmap-cache of
// the directory that the backend has for the profile, beneath its var root (in a tsnet.Server beneath Dir), and
// is removed with the profile.
//
// Tailscale's own cache has its files in the same folder: what it has stored is restored, and replaced by the first netmap
// that is saved. It is an error for the backend to have no var root, and for the program to be built with Tailscale's
// own cache, that is without the tag ts_omit_cachenetmap.
func ProfileDir(_ context.Context, lb *ipnlocal.LocalBackend, profile ipn.ProfileID) (store.Store, error) {
	if buildfeatures.HasCacheNetMap {
		return nil, errors.New("not built with the tag ts_omit_cachenetmap: the backend itself has files in the same folder")
	}
	dir, err := lb.ProfileMkdirAll(profile, "netmap-cache")
	if err != nil {
		return nil, err
	}
	return filestore.FileStore(dir), nil
}
