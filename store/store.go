// Package store defines the contract between a cache and the key-value storage
// beneath it: the four-method [Store], which is method for method that of
// tailscale.com/ipn/ipnlocal/netmapcache, and the abilities that a store may
// have beyond it, [Committer] and [BulkLoader].
//
// The functions [Commit] and [LoadMany] use those abilities where a store has
// them and do the same step by step where it doesn't.
package store

import (
	"context"
	"errors"
	"iter"
)

var (
	// ErrKeyNotFound is reported, possibly wrapped, when a key is loaded that
	// the store doesn't hold.
	ErrKeyNotFound = errors.New("storage key not found")

	// ErrBadKey is reported, possibly wrapped, when a value is written under a
	// key that [ValidKey] refuses. Nothing is written then.
	ErrBadKey = errors.New("storage key is not valid")

	// ErrDamaged is reported, possibly wrapped, when a value is loaded and what
	// the storage holds under its key isn't what a Store put there, as far as it
	// can tell. The key can be overwritten and removed.
	ErrDamaged = errors.New("stored value is damaged")

	// ErrConflict is reported, possibly wrapped, by [Committer.Commit] when
	// the guard of a change does not hold. Nothing is changed then.
	ErrConflict = errors.New("storage was changed by another writer")
)

// MaxKeyLen is the length in bytes of the longest valid key. FileStore names
// a file by the key's hex, and common file systems end names at 255 bytes.
const MaxKeyLen = 100

// MaxValueLen is the length in bytes of the longest value that can be stored. One that
// is longer was not put there by a Store: it is an [ErrDamaged], and no store allocates memory for it.
const MaxValueLen = 64 << 20

// ValidKey reports whether a value can be stored under key: one to [MaxKeyLen]
// bytes of printable ASCII. Within that set, byte order, UTF-16 order (IndexedDB)
// and the order of hex file names agree.
func ValidKey(key string) bool {
	if len(key) == 0 || len(key) > MaxKeyLen {
		return false
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}

// Store is persistent key-value storage. Methods are safe for concurrent use,
// and may be called from inside an iteration of List.
//
// Only valid keys are ever written. Keys that are not valid may be in the
// storage if another program wrote them: those can be listed, loaded and
// removed, if the storage can express them. Where it can't, or nothing is there,
// Load reports [ErrKeyNotFound] and Remove nil, as for any absent key.
//
// When ctx has ended, a method reports an error that satisfies
// errors.Is(err, ctx.Err()); whether a write took effect is then unknown,
// unless ctx had ended before the call.
type Store interface {
	// List yields the stored keys that begin with prefix, in lexicographic
	// order. Each pair is a key and a nil error, or an empty key and an error,
	// after which the iteration ends. Keys that are stored or removed during the
	// iteration may or may not be seen.
	List(ctx context.Context, prefix string) iter.Seq2[string, error]

	// Load returns the value stored under key, or [ErrKeyNotFound]. A store that
	// finds the value altered reports [ErrDamaged].
	// The value belongs to the caller.
	Load(ctx context.Context, key string) ([]byte, error)

	// Store stores value under key and replaces what was there. The value
	// is not retained. A key that is not valid is an [ErrBadKey].
	Store(ctx context.Context, key string, value []byte) error

	// Remove removes key. If the store doesn't hold it, Remove reports nil.
	Remove(ctx context.Context, key string) error
}

// An Entry is a key and the value to store under it.
type Entry struct {
	Key   string
	Value []byte
}

// A Guard is a condition on one key of a store: that it holds exactly Value,
// or, if Absent, that it holds nothing.
type Guard struct {
	Key    string
	Value  []byte
	Absent bool
}

// A Change is a set of writes and removals to be applied as one. A key may occur
// once in Put and Remove together; [Change.Validate] tells.
type Change struct {
	// Guard, if not nil, is checked in the same atomic step as the change is
	// applied. If it doesn't hold the change is not applied and
	// [ErrConflict] is reported. If it holds, what it found is as durable, once
	// the change is applied, as what the change wrote, even if it wrote nothing.
	Guard *Guard

	// Put is written in order. The last entry is the commit point: it never
	// becomes visible, or durable, before the others are.
	Put []Entry

	// Remove is removed, in order, once Put is in force.
	Remove []string
}

// A Committer is a [Store] that can apply a [Change] atomically.
//
// A type that wraps a Committer embeds this interface, or one of this and [BulkLoader].
// If it embedded Store, it would have no Commit, and its changes would be applied step by step.
type Committer interface {
	Store

	// Commit applies ch, or reports the error of [Change.Validate] or
	// [ErrConflict] and changes nothing. For other users of the store, after a
	// crash at any point and after any other error, either the last entry of
	// ch.Put is in force, and with it all of them, or it isn't, and no key that
	// was there before has changed, save keys of earlier entries of ch.Put.
	// Leftovers are therefore at most unreferenced earlier entries and keys of
	// ch.Remove.
	//
	// A failure to remove, once Put is in force, is not an error: the keys
	// remain, to be removed by a later change. If ch.Put is empty, it is.
	Commit(ctx context.Context, ch Change) error
}

// A BulkLoader is a [Store] that loads many keys faster than one by one.
type BulkLoader interface {
	Store

	// LoadMany yields one pair for each of keys, in their order: the value, which
	// belongs to the caller, and a nil error; or nil and [ErrKeyNotFound], after
	// which the iteration goes on; or nil and another error, after which it ends.
	// Values may be read ahead. Other methods may be called during the iteration.
	LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error]
}
