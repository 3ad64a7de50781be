package etcdstore

import "time"

// An Option fits a store to the servers.
type Option func(*options)

type options struct {
	maxOps   int
	maxBytes int
	timeout  time.Duration
}

func newOptions(opts []Option) options {
	o := options{maxOps: 128, maxBytes: 1536 << 10}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// WithMaxOps tells how many operations the servers take in a transaction, which is what
// their flag --max-txn-ops says. The default, here and there, is 128. It is 4 at least.
func WithMaxOps(n int) Option {
	return func(o *options) { o.maxOps = max(n, 4) }
}

// WithMaxRequestBytes tells how many bytes the servers take in a request, which is what their flag
// --max-request-bytes says. The default, here and there, is 1.5 MiB. Beyond 2 MiB,
// MaxCallSendMsgSize of the client's configuration has to be raised too.
func WithMaxRequestBytes(n int) Option {
	return func(o *options) { o.maxBytes = n }
}

// WithTimeout bounds how long each request may take whose context has no deadline. A method makes one
// request, or a few for a large change. The error satisfies
// errors.Is(err, context.DeadlineExceeded). By default only the context bounds it.
func WithTimeout(d time.Duration) Option {
	return func(o *options) { o.timeout = d }
}
