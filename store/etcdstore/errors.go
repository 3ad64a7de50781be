package etcdstore

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// hints say what to do about errors of the servers whose own text doesn't.
var hints = []struct {
	err  error
	hint string
}{
	{rpctypes.ErrNoSpace, "the servers' quota is used up: compact, defragment, then disarm the alarm"},
	{rpctypes.ErrRequestTooLarge, "the servers' --max-request-bytes is less than WithMaxRequestBytes says"},
	{rpctypes.ErrTooManyOps, "the servers' --max-txn-ops is less than WithMaxOps says"},
	{rpctypes.ErrPermissionDenied, "the user needs to read and write all keys under the prefix"},
	{rpctypes.ErrUserEmpty, "the servers ask for a user or a client certificate"},
	{rpctypes.ErrInvalidAuthToken, "the token has expired, and the client has no password to get another"},
}

// explain wraps err, the error of a request under ctx. If ctx has ended, the result satisfies
// errors.Is(err, ctx.Err()).
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("etcd: %w: %w", ended, err)
	}
	for _, h := range hints {
		if errors.Is(err, h.err) {
			return fmt.Errorf("etcd: %w (%s)", err, h.hint)
		}
	}
	return fmt.Errorf("etcd: %w", err)
}

// explainWrite is explain for a request that writes. Unless err means that nothing was written, the result says
// that this is unknown.
func explainWrite(ctx context.Context, err error) error {
	explained := explain(ctx, err)
	if err != nil && isUnsure(err) {
		return fmt.Errorf("%w; it is unknown whether the write took effect", explained)
	}
	return explained
}

// isUnsure reports whether a write that failed with err may take effect nevertheless. A server reports its own
// errors before it writes, except that it lost the leader or ran out of time.
func isUnsure(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	code := codeOf(err)
	return code == codes.Unavailable || code == codes.Unknown || code == codes.DeadlineExceeded || code == codes.Canceled
}

// isUnavailable reports whether a request that failed with err may succeed once a server can be reached again.
func isUnavailable(err error) bool {
	return codeOf(err) == codes.Unavailable
}

// codeOf returns the code of an error of the client, which comes in one of two forms.
func codeOf(err error) codes.Code {
	if e := (rpctypes.EtcdError{}); errors.As(err, &e) {
		return e.Code()
	}
	return status.Code(err)
}
