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

// ProfileDir keeps netmaps as files. Use it as [Options].Open. The files of a profile are in the folder netmap-cache of
// the backend's directory for the profile, beneath its var root (in a tsnet.Server, beneath Dir). The backend
// removes that directory with the profile.
//
// Tailscale's own cache has its files in the same folder. A netmap that it has stored is restored, and the first netmap
// that is saved replaces it. It is an error if the backend has no var root, or if the program is built with Tailscale's
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
