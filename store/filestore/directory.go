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

// A Directory is a [store.Committer] and a [store.BulkLoader] in a directory that it keeps
// open. Whatever becomes of the path, it uses the directory that was opened. Otherwise it behaves
// like a [FileStore]. [OpenPrivate] opens one.
type Directory struct {
	fs folder

	// swept is true if, as far as is known, there are no temporary files of writers that were killed.
	// To look for them takes as long as everything else in a small change.
	swept *atomic.Bool
}

// Close closes the directory. Later method calls report an error that satisfies
// errors.Is(err, [fs.ErrClosed]).
func (d *Directory) Close() error { return d.fs.close() }

// ownPrefix begins the names of files that are not values. It is the hex of a
// byte that begins no valid key.
const ownPrefix = "00"

// maxNameKeyLen is the length in bytes of the longest key that has a file name.
// It exceeds store.MaxKeyLen, since upstream's FileStore writes longer keys.
const maxNameKeyLen = 127

// fileName returns the name of key's file, and whether there can be one.
func fileName(key string) (string, bool) {
	if len(key) == 0 || len(key) > maxNameKeyLen || key[0] == 0 {
		return "", false
	}
	return hex.EncodeToString([]byte(key)), true
}

// fileKey returns the key whose file has that name, in upper or lower case, and whether there is
// such a key.
func fileKey(name string) (string, bool) {
	if strings.HasPrefix(name, ownPrefix) {
		return "", false
	}
	key, err := hex.DecodeString(name)
	return string(key), err == nil && len(key) > 0
}
