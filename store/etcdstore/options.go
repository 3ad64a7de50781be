package etcdstore

import "time"

// An Option adapts a store to the servers.
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

// WithMaxOps sets how many operations the servers accept in a transaction. It should be the value of
// their flag --max-txn-ops. The default, of the flag and here, is 128. An n below 4 counts as 4.
func WithMaxOps(n int) Option {
	return func(o *options) { o.maxOps = max(n, 4) }
}

// WithMaxRequestBytes sets how many bytes the servers accept in a request. It should be the value of their flag
// --max-request-bytes. The default, of the flag and here, is 1.5 MiB. Beyond 2 MiB,
// MaxCallSendMsgSize of the client's configuration has to be raised too.
func WithMaxRequestBytes(n int) Option {
	return func(o *options) { o.maxBytes = n }
}

// WithTimeout bounds the time of each request whose context has no deadline. A method makes one
// request, or a few for a large change. The error of a request that takes longer satisfies
// errors.Is(err, context.DeadlineExceeded). By default only the context bounds requests.
func WithTimeout(d time.Duration) Option {
	return func(o *options) { o.timeout = d }
}
