//go:build js && wasm

package main

import (
	"errors"
	"syscall/js"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/idbstore"
)

var (
	errArgument = errors.New("invalid argument")
	errClosed   = errors.New("cache is closed")
)

// codes gives the code by which JavaScript knows each kind of error.
// The first that an error is, counts.
var codes = []struct {
	err  error
	code string
}{
	{errArgument, "invalid-argument"},
	{errClosed, "closed"},
	{netmapcache.ErrCorrupt, "corrupt"},
	{netmapcache.ErrWrongOwner, "wrong-owner"},
	{netmapcache.ErrExpired, "expired"},
	{netmapcache.ErrFormat, "format"},
	{netmapcache.ErrCacheNotAvailable, "not-available"},
	{idbstore.ErrVersion, "format"},
	{idbstore.ErrBlocked, "blocked"},
	{idbstore.ErrUnavailable, "unavailable"},
	{idbstore.ErrQuota, "quota"},
}

// errorCode returns the code of err: "storage" if it is none of those known.
func errorCode(err error) string {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return "storage"
}

// errorCause returns the JavaScript exception that err wraps, or undefined.
func errorCause(err error) js.Value {
	if cause, ok := errors.AsType[js.Error](err); ok {
		return cause.Value
	}
	if cause, ok := errors.AsType[*js.Error](err); ok {
		return cause.Value
	}
	return js.Undefined()
}
