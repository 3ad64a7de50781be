//go:build !js

package netmapcache

import "github.com/netmapcache/netmapcache/store/filestore"

// FileStore implements [Store] by a directory of files.
// See [filestore.FileStore].
type FileStore = filestore.FileStore
