// Package sealed encrypts and authenticates what is kept in another store. Whoever
// can read that store learns how many entries there are, how long values and
// names are, and when they change. Whoever can write to it can remove entries, and
// put back what was stored under the same name before, but alters, moves or
// makes up none without being found out: then the error is [store.ErrDamaged].
//
// Over a [github.com/netmapcache/netmapcache/netmapcache.Cache], whose columns carry
// the digests that the root lists, an old column is found out too. An old root
// with all of its columns is not: it is an older snapshot. WithMaxAge bounds how old.
//
// # Values
//
// A value is stored as a random nonce of 24 bytes and the output of XChaCha20-Poly1305
// (draft-irtf-cfrg-xchacha-03), 40 bytes longer than the value, with the
// stored name as associated data. Nonces of that length can be picked at random
// for as many values as one likes, where AES-GCM has a limit for each key. And without
// AES instructions, as in WebAssembly, ChaCha20 is the faster one and uses no tables,
// through which an AES in software leaks its key to who shares the processor's caches.
//
// # Names
//
// Names are sealed as well: those of a cache hold digests of values, by which a
// guess at a value could be confirmed. As the same name must be found again,
// it is sealed without randomness, as in SIV mode (RFC 5297): HMAC-SHA-256 of the name,
// truncated to 24 bytes, is both the tag and the nonce under which XChaCha20 encrypts it.
// The stored name is base64url of the tag and the encrypted name, if they fit into
// [store.MaxKeyLen] characters; that is, for names of up to 51 bytes. For longer ones it is
// base64url of the tag alone, and the name is kept in front of the value.
//
// The keys for values, tags and names are derived from the caller's by HKDF-Expand with
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

// New returns a store that keeps its values in s, sealed under key: [KeySize] random
// bytes, which are not retained. It is a [store.Committer] and a [store.BulkLoader] if
// s is.
//
// Each store should have a key of its own. Between stores sealed under the same one,
// entries can be exchanged unnoticed.
//
// What isn't sealed under key is left alone: List skips it. A value that doesn't
// open under the name that it is stored by is a [store.ErrDamaged]. Errors name the sealed
// key, since the real one tells of its value.
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

// List implements part of [store.Store]. Since sealed names have another order, it collects
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

// bulkLoader is the ability of a [store.BulkLoader].
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
