//go:build !js

package filestore

import (
	"encoding/hex"
	"strings"
	"sync/atomic"

	"github.com/netmapcache/netmapcache/store"
)

var (
	_ store.Committer  = (*Directory)(nil)
	_ store.BulkLoader = (*Directory)(nil)
)

// A Directory is a [store.Committer] and a [store.BulkLoader] in a directory that it holds
// open: whatever becomes of the path, it goes on with the directory that was there. All else is as
// for a [FileStore]. [OpenPrivate] opens one.
type Directory struct {
	fs folder

	// swept tells that there are no temporary files of writers that were killed,
	// as far as is known. To look for them takes as long as all else in a small change.
	swept *atomic.Bool
}

// Close closes the directory. Methods that are called later report an error that satisfies
// errors.Is(err, [fs.ErrClosed]).
func (d *Directory) Close() error { return d.fs.close() }

// ownPrefix begins the names of files that are not values. It is the hex of a
// byte that begins no valid key.
const ownPrefix = "00"

// maxNameKeyLen is the length in bytes of the longest key that has a file name.
// It is more than store.MaxKeyLen: upstream's FileStore writes longer keys.
const maxNameKeyLen = 127

// fileName returns the name of key's file. It is false if there can be none.
func fileName(key string) (string, bool) {
	if len(key) == 0 || len(key) > maxNameKeyLen || key[0] == 0 {
		return "", false
	}
	return hex.EncodeToString([]byte(key)), true
}

// fileKey returns the key whose file has that name, in any case. It is false if there is
// none.
func fileKey(name string) (string, bool) {
	if strings.HasPrefix(name, ownPrefix) {
		return "", false
	}
	key, err := hex.DecodeString(name)
	return string(key), err == nil && len(key) > 0
}
