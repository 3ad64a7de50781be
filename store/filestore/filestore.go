//go:build !js

// Package filestore keeps a store in a directory of the file system.
//
// Each key is a file named by the lower-case hex of the key, as in FileStore of
// tailscale.com/ipn/ipnlocal/netmapcache: either reads what the other wrote.
// Unlike there, writes are atomic and durable, and processes may share
// a directory.
//
// Other files in the directory are left alone. Those that this package makes
// besides, a lock and temporary files, have hex names too, because upstream's
// FileStore can't list a directory that holds any other name. They begin with
// the byte 0x00, as no valid key does.
package filestore

import (
	"context"
	"encoding/hex"
	"errors"
	"iter"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/netmapcache/netmapcache/store"
)

// ErrUnsafeDirectory is reported when another user can put files into the directory.
var ErrUnsafeDirectory = errors.New("directory is under another user's control")

var (
	_ store.StreamCommitter = FileStore("")
	_ store.BulkLoader      = FileStore("")
)

// FileStore is a [store.Store], [store.StreamCommitter] and [store.BulkLoader] in the
// directory of that path. The caller sees to it that the directory exists;
// as long as it doesn't, it reads as empty, and writing reports an error that
// satisfies errors.Is(err, [fs.ErrNotExist]).
//
// When a write has returned nil it survives a power cut, as far as the operating
// system and the disk keep their word; on Windows, which can't sync
// a directory, the names of files may come later than their content. New files
// have mode 0600.
//
// Writers of one directory wait for each other, within a process and across
// processes, by a lock on a file in it. Readers don't wait. On Windows a file
// can't be replaced while it is being read; the write then fails.
//
// On Unix systems a directory that belongs to another user than this process's or
// root, or that every user can write to, is neither read nor written:
// the error is [ErrUnsafeDirectory]. That its group can write to it is the
// administrator's decision, and the directories above are the caller's business.
//
// Errors of the operating system are wrapped.
type FileStore string

// List implements part of [store.Store]. It reads the directory once, when the
// iteration begins. Files that can't be values are skipped: those whose
// names are not lower-case hex, directories, and links that lead nowhere.
func (s FileStore) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return s.dir().List(ctx, prefix)
}

// Load implements part of [store.Store].
func (s FileStore) Load(ctx context.Context, key string) ([]byte, error) {
	return s.dir().Load(ctx, key)
}

// LoadMany implements [store.BulkLoader]. On Linux the system reads up to 16 files ahead.
func (s FileStore) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return s.dir().LoadMany(ctx, keys)
}

// Store implements part of [store.Store].
func (s FileStore) Store(ctx context.Context, key string, value []byte) error {
	return s.dir().Store(ctx, key, value)
}

// Remove implements part of [store.Store].
func (s FileStore) Remove(ctx context.Context, key string) error {
	return s.dir().Remove(ctx, key)
}

// Commit implements [store.Committer]. A change that fails is undone. If that fails
// as well, which the error then tells, the last entry of ch.Put may be in force,
// with all the others, or others without it. ctx is heeded until the new files
// are written and get their names.
//
// The first Commit of a process, and the first after a List that has seen one, also
// removes the temporary files of writers that were killed.
func (s FileStore) Commit(ctx context.Context, ch store.Change) error {
	return s.dir().Commit(ctx, ch)
}

// CommitStream implements [store.StreamCommitter]. Each file is written as its entry comes. Other
// writers wait meanwhile.
func (s FileStore) CommitStream(ctx context.Context, guard *store.Guard, stream store.Stream) error {
	return s.dir().CommitStream(ctx, guard, stream)
}

func (s FileStore) dir() directory {
	swept, ok := sweptPaths.Load(s)
	if !ok {
		swept, _ = sweptPaths.LoadOrStore(s, new(atomic.Bool))
	}
	return directory{string(s), osFileSystem{}, swept.(*atomic.Bool)}
}

// sweptPaths holds the swept of each FileStore that this process has used.
var sweptPaths sync.Map // FileStore to *atomic.Bool

// directory does the work of FileStore.
type directory struct {
	path string
	fs   fileSystem

	// swept tells that there are no temporary files of writers that were killed,
	// as far as is known. To look for them takes as long as all else in a small change.
	swept *atomic.Bool
}

// ownPrefix begins the names of files that are not values. It is the hex of a
// byte that begins no valid key.
const ownPrefix = "00"

// maxNameKeyLen is the length in bytes of the longest key that has a file name.
// It is more than store.MaxKeyLen: upstream's FileStore writes longer keys.
const maxNameKeyLen = 127

// file returns the path of key's file. It is false if there can be none.
func (d directory) file(key string) (string, bool) {
	if len(key) == 0 || len(key) > maxNameKeyLen || key[0] == 0 {
		return "", false
	}
	return filepath.Join(d.path, hex.EncodeToString([]byte(key))), true
}

// fileKey returns the key whose file has that name. It is false if there is
// none.
func fileKey(name string) (string, bool) {
	if name != strings.ToLower(name) || strings.HasPrefix(name, ownPrefix) {
		return "", false
	}
	key, err := hex.DecodeString(name)
	return string(key), err == nil
}
