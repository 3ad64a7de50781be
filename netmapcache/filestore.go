//go:build !js

package netmapcache

import "github.com/netmapcache/netmapcache/store/filestore"

// FileStore is a [Store] in a directory of files.
// See [filestore.FileStore].
type FileStore = filestore.FileStore
