//go:build js

package webkey

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"syscall/js"
	"time"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// ErrUnavailable is reported when the browser's IndexedDB or WebCrypto is missing, fails, or
// doesn't answer. WebCrypto is missing on pages that came over plain HTTP from another
// machine. The error wraps what the browser reported.
var ErrUnavailable = errors.New("the browser's key storage is not available")

var errSilent = errors.New("the browser gave no answer in time")

// silence is how long the browser may take in all. Tests shorten it.
var silence = 20 * time.Second

// The layout of the database: one record in one object store.
const (
	layoutVersion = 1
	objectStore   = "keys"
	recordKey     = "key"
)

// keySize is the length in bytes of the keys of package sealed.
const keySize = 32

// Load returns the key, 32 bytes, that the named database of this origin keeps. If
// there is none, it makes a random one. Pages that do so at the same time get the
// same key. idbstore.Delete deletes the database, and the key with it.
//
// The error is an [ErrUnavailable], that of ctx, an [idbstore.ErrBlocked] if the database is to
// be deleted and another page or worker doesn't close it, or a [store.ErrDamaged]
// if the database holds something else or the key doesn't decrypt. In the last case the key is lost, and
// the database must be deleted before there can be another.
func Load(ctx context.Context, database string) ([]byte, error) {
	wait, cancel := context.WithTimeoutCause(ctx, silence, errSilent)
	defer cancel()
	// Value.Call panics with what JavaScript throws.
	key, err := browser.Try(func() ([]byte, error) { return load(wait, database) })
	switch {
	case err == nil:
		return key, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("webkey: %w", ctx.Err())
	case errors.Is(err, store.ErrDamaged), errors.Is(err, idbstore.ErrBlocked):
		return nil, fmt.Errorf("webkey: %w", err)
	}
	return nil, fmt.Errorf("webkey: %w: %w", ErrUnavailable, browser.Normal(err))
}

func load(ctx context.Context, database string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	subtle := js.Global().Get("crypto").Get("subtle")
	factory := js.Global().Get("indexedDB")
	if !subtle.Truthy() || !factory.Truthy() {
		return nil, errors.New("IndexedDB or WebCrypto is missing")
	}
	db, err := open(ctx, factory, database)
	if err != nil {
		return nil, err
	}
	defer db.Call("close")
	record, err := get(ctx, db)
	if err != nil {
		return nil, err
	}
	if record.IsUndefined() {
		// Make it before it is known to be needed, since no transaction outlives the wait for it.
		if record, err = newRecord(ctx, subtle); err != nil {
			return nil, err
		}
		if record, err = putIfAbsent(ctx, db, record); err != nil {
			return nil, err
		}
	}
	return unwrap(ctx, subtle, record)
}

// newRecord returns a record of a new key: an object with a CryptoKey, a nonce, and the key
// encrypted with these two.
func newRecord(ctx context.Context, subtle js.Value) (js.Value, error) {
	params := map[string]any{"name": "AES-GCM", "length": 256}
	const extractable = false
	wrapping, err := browser.Await(ctx, subtle.Call("generateKey", params, extractable, []any{"encrypt", "decrypt"}))
	if err != nil {
		return js.Value{}, err
	}
	key, err := randomBytes(keySize)
	if err != nil {
		return js.Value{}, err
	}
	nonce, err := randomBytes(12)
	if err != nil {
		return js.Value{}, err
	}
	wrapped, err := browser.Await(ctx, subtle.Call("encrypt", aesGCM(nonce), wrapping, key))
	return js.ValueOf(map[string]any{"wrapping": wrapping, "nonce": nonce, "wrapped": wrapped}), err
}

func aesGCM(nonce js.Value) map[string]any {
	return map[string]any{"name": "AES-GCM", "iv": nonce}
}

func randomBytes(n int) (js.Value, error) {
	b := make([]byte, n)
	rand.Read(b)
	return browser.FromBytes(b)
}

// unwrap returns the key that record holds.
func unwrap(ctx context.Context, subtle, record js.Value) ([]byte, error) {
	plain, err := browser.Try(func() (js.Value, error) {
		return browser.Await(ctx, subtle.Call("decrypt", aesGCM(record.Get("nonce")), record.Get("wrapping"), record.Get("wrapped")))
	})
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("%w: %w", store.ErrDamaged, browser.Normal(err))
	} else if err != nil {
		return nil, err
	}
	key, ok := browser.Array(plain)
	if !ok || key.Length() != keySize {
		return nil, fmt.Errorf("%w: not a key", store.ErrDamaged)
	}
	return browser.ToBytes(key), nil
}
