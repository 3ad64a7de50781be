// Package sealed encrypts and authenticates what is kept in another store. Somebody who
// can read that store learns how many entries there are, how long values and
// names are, and when they change. Somebody who can write to it can remove entries, and
// put back what was stored under the same name before. If they alter, move or
// make up an entry, loading it is a [store.ErrDamaged].
//
// A [github.com/netmapcache/netmapcache/netmapcache.Cache] over a sealed store also detects an old column,
// since the root lists the digests of columns. It doesn't detect an old root
// with all of its columns, since that is an older snapshot. WithMaxAge bounds how old it can be.
//
// # Values
//
// A stored value is a random nonce of 24 bytes and the output of XChaCha20-Poly1305
// (draft-irtf-cfrg-xchacha-03), with the stored name as associated data. It is 40 bytes longer than the value.
// Nonces of that length can be random for any number of values, whereas AES-GCM has a limit for each key. Without
// AES instructions, as in WebAssembly, ChaCha20 is faster than AES. It uses no tables either,
// through which an AES in software leaks its key to programs that share the processor's caches.
//
// # Names
//
// Names are sealed as well. The names of a cache contain digests of values, and a digest confirms a
// guess at a value. Since the same name must be found again,
// it is sealed without randomness, as in SIV mode (RFC 5297): HMAC-SHA-256 of the name,
// truncated to 24 bytes, is both the tag and the nonce under which XChaCha20 encrypts the name.
// The stored name is base64url of the tag and the encrypted name, if they fit into
// [store.MaxKeyLen] characters, that is for names of up to 51 bytes. For a longer name it is
// base64url of the tag alone, and the name is kept in front of the value.
//
// The keys for values, tags and names are derived from the caller's key by HKDF-Expand with
// SHA-256 (RFC 5869).
package sealed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/netmapcache/netmapcache/store"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// New returns a store that keeps its values in s, sealed under key. The key is [KeySize] random
// bytes, which New doesn't retain. A key of another length is an error. The result is a [store.Committer] or a [store.BulkLoader] if
// s is one.
//
// Each store should have a key of its own. Entries of stores with the same key
// can be exchanged unnoticed.
//
// The store ignores what isn't sealed under key, and List skips it. If a value can't be
// opened under its stored name, loading it is a [store.ErrDamaged]. Errors contain the sealed
// name, since the real name reveals something about the value.
func New(s store.Store, key []byte) (store.Store, error) {
	keys, err := deriveKeys(key)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	o := &outer{s, keys}
	c, commits := s.(store.Committer)
	b, loads := s.(store.BulkLoader)
	switch {
	case commits && loads:
		return struct {
			*outer
			committer
			bulkLoader
		}{o, committer{o, c}, bulkLoader{o, b}}, nil
	case commits:
		return struct {
			*outer
			committer
		}{o, committer{o, c}}, nil
	case loads:
		return struct {
			*outer
			bulkLoader
		}{o, bulkLoader{o, b}}, nil
	}
	return o, nil
}

// outer is a sealed store with four methods.
type outer struct {
	inner store.Store
	*keys
}

// List implements part of [store.Store]. Sealed names have another order. So List collects
// all names with the prefix before it yields the first.
func (o *outer) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		names, err := o.names(ctx, prefix)
		if err == nil {
			err = ctx.Err()
		}
		for _, name := range names {
			if err != nil || !yield(name, nil) {
				break
			}
			err = ctx.Err()
		}
		if err != nil {
			yield("", err)
		}
	}
}

// names returns the names that begin with prefix, in order.
func (o *outer) names(ctx context.Context, prefix string) ([]string, error) {
	var names, nameless []string
	for stored, err := range o.inner.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		if name, ok := o.openName(stored); !ok {
			continue
		} else if name == "" {
			nameless = append(nameless, stored)
		} else if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	for _, stored := range nameless {
		value, err := o.inner.Load(ctx, stored)
		if errors.Is(err, store.ErrKeyNotFound) || errors.Is(err, store.ErrDamaged) {
			continue
		} else if err != nil {
			return nil, err
		}
		name, _, err := o.openLong(stored, value)
		if err == nil && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (o *outer) Load(ctx context.Context, key string) ([]byte, error) {
	stored := o.sealName(key)
	value, err := o.inner.Load(ctx, stored)
	if err != nil {
		return nil, err
	}
	return o.open(stored, value)
}

func (o *outer) Store(ctx context.Context, key string, value []byte) error {
	if !store.ValidKey(key) {
		return fmt.Errorf("store %q: %w", key, store.ErrBadKey)
	}
	e := o.seal(store.Entry{Key: key, Value: value})
	return o.inner.Store(ctx, e.Key, e.Value)
}

func (o *outer) Remove(ctx context.Context, key string) error {
	return o.inner.Remove(ctx, o.sealName(key))
}

// A bulkLoader makes a sealed store a [store.BulkLoader].
type bulkLoader struct {
	o     *outer
	inner store.BulkLoader
}

func (l bulkLoader) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		stored := make([]string, len(keys))
		for i, key := range keys {
			stored[i] = l.o.sealName(key)
		}
		i := 0
		for value, err := range l.inner.LoadMany(ctx, stored) {
			if err == nil {
				value, err = l.o.open(stored[i], value)
			}
			i++
			if !yield(value, err) || err != nil && !errors.Is(err, store.ErrKeyNotFound) {
				return
			}
		}
	}
}
