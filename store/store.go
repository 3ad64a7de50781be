// Package store defines the contract between a cache and the key-value storage
// beneath it. [Store] has the same four methods as the Store of
// tailscale.com/ipn/ipnlocal/netmapcache. [Committer] and [BulkLoader] are abilities that a store may
// have besides.
//
// The functions [Commit] and [LoadMany] use these abilities if a store has
// them, and otherwise do the same step by step.
package store

import (
	"context"
	"errors"
	"iter"
)

var (
	// ErrKeyNotFound is reported, possibly wrapped, by Load for a key that
	// the store doesn't hold.
	ErrKeyNotFound = errors.New("storage key not found")

	// ErrBadKey is reported, possibly wrapped, by a write under a
	// key that [ValidKey] refuses. Nothing is written then.
	ErrBadKey = errors.New("storage key is not valid")

	// ErrDamaged is reported, possibly wrapped, by Load if the store can tell that
	// the value under the key isn't what was stored there.
	// The key can be overwritten and removed.
	ErrDamaged = errors.New("stored value is damaged")

	// ErrConflict is reported, possibly wrapped, by [Committer.Commit] if
	// the guard of the change does not hold. Nothing is changed then.
	ErrConflict = errors.New("storage was changed by another writer")
)

// MaxKeyLen is the length in bytes of the longest valid key. FileStore names
// a file by the key's hex, and common file systems limit names to 255 bytes.
const MaxKeyLen = 100

// MaxValueLen is the length in bytes of the longest value that can be stored. A longer value
// was not put there by a Store. Loading it is an [ErrDamaged], and no store allocates memory for it.
const MaxValueLen = 64 << 20

// ValidKey reports whether a value can be stored under key, that is whether key is one to [MaxKeyLen]
// bytes of printable ASCII. For such keys, byte order, UTF-16 order (IndexedDB)
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

// A Store is persistent key-value storage. Its methods are safe for concurrent use,
// and may be called from inside an iteration of List.
//
// Only valid keys are ever written. Another program may have written keys that are not valid.
// These can be listed, loaded and removed, if the storage can express them. If it can't,
// they count as absent: Load reports [ErrKeyNotFound], and Remove reports nil.
//
// If ctx has ended, a method reports an error that satisfies
// errors.Is(err, ctx.Err()). Whether a write took effect is then unknown,
// unless ctx had ended before the call.
type Store interface {
	// List yields the stored keys that begin with prefix, in lexicographic
	// order. Each pair is a key and a nil error, or an empty key and an error,
	// which ends the iteration. Keys that are stored or removed during the
	// iteration may or may not be seen.
	List(ctx context.Context, prefix string) iter.Seq2[string, error]

	// Load returns the value stored under key. The value belongs to the caller.
	// The error is [ErrKeyNotFound] if there is none, and [ErrDamaged] if the store
	// finds the value altered.
	Load(ctx context.Context, key string) ([]byte, error)

	// Store stores value under key and replaces what was there. It doesn't retain value.
	// If key is not valid, the error is [ErrBadKey].
	Store(ctx context.Context, key string, value []byte) error

	// Remove removes key. If the store doesn't hold key, Remove reports nil.
	Remove(ctx context.Context, key string) error
}

// An Entry is a key and the value to store under it.
type Entry struct {
	Key   string
	Value []byte
}

// A Guard is a condition on one key of a store: that the key holds exactly Value,
// or, if Absent is true, that it holds nothing.
type Guard struct {
	Key    string
	Value  []byte
	Absent bool
}

// A Change is a set of writes and removals to be applied as one. A key may occur
// only once in Put and Remove together, which [Change.Validate] checks.
type Change struct {
	// Guard, if not nil, is checked in the same atomic step that applies the
	// change. If it doesn't hold, the change is not applied and
	// Commit reports [ErrConflict]. Once a change is applied, the value that its guard found is
	// as durable as what the change wrote, even if it wrote nothing.
	Guard *Guard

	// Put is written in order. The last entry is the commit point: it never
	// becomes visible or durable before the others are.
	Put []Entry

	// Remove lists keys to remove, in order, once Put is in force.
	Remove []string
}

// A Committer is a [Store] that can apply a [Change] atomically.
//
// A type that wraps a Committer embeds this interface, or one of this and [BulkLoader].
// If it embedded Store, it would have no Commit, and its changes would be applied step by step.
type Committer interface {
	Store

	// Commit applies ch. If it reports the error of [Change.Validate] or
	// [ErrConflict], nothing has changed. To other users of the store, after a
	// crash at any point, and after any other error, one of two holds. Either the last entry of
	// ch.Put is in force, and all others with it. Or it isn't, and no key that
	// was there before has changed, except keys of earlier entries of ch.Put.
	// So at most unreferenced earlier entries and keys of ch.Remove are left over.
	//
	// Once Put is in force, a failure to remove a key is not an error: the key
	// remains, and a later change can remove it. If ch.Put is empty, the failure is an error.
	Commit(ctx context.Context, ch Change) error
}

// A BulkLoader is a [Store] that loads many keys faster than one by one.
type BulkLoader interface {
	Store

	// LoadMany yields one pair for each of keys, in their order. A pair is the value, which
	// belongs to the caller, and a nil error; or nil and [ErrKeyNotFound], after
	// which the iteration goes on; or nil and another error, which ends it.
	// The store may read values ahead. Other methods may be called during the iteration.
	LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error]
}
