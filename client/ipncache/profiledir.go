//go:build !js

package ipncache

import (
	"context"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/filestore"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnlocal"
)

// ProfileDir keeps netmaps as files, for use as [Options].Open. The files of a profile are in the folder netmapcache of
// the directory that the backend has for the profile, beneath its var root (in a tsnet.Server beneath Dir), and
// is removed with the profile. It is an error for the backend to have no var root.
func ProfileDir(_ context.Context, lb *ipnlocal.LocalBackend, profile ipn.ProfileID) (store.Store, error) {
	dir, err := lb.ProfileMkdirAll(profile, name)
	if err != nil {
		return nil, err
	}
	return filestore.FileStore(dir), nil
}
