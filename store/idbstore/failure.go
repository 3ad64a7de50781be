//go:build js

package idbstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

var (
	errLost   = errors.New("the browser closed the connection")
	errBehind = fmt.Errorf("%w, and is to be deleted or upgraded", ErrBlocked)
	errSilent = errors.New("the browser gave no answer in time")
)

// connectionFailed reports whether err may be cured by a new connection.
func connectionFailed(err error) bool {
	return errors.Is(err, errLost) || browser.Named(err,
		"InvalidStateError", // a transaction was begun after the connection closed
		"AbortError",        // the browser aborted a transaction as it closed the connection
		"UnknownError",      // Safari, of a connection that it dropped in the background
	)
}

// explain adds to an error what was attempted and what it means.
func explain(ctx context.Context, doing string, err error) error {
	switch {
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	case browser.Named(err, "QuotaExceededError"):
		err = fmt.Errorf("%w: %w", ErrQuota, err)
	case errors.Is(err, errSilent), connectionFailed(err):
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("idbstore: %s: %w", doing, err)
}
