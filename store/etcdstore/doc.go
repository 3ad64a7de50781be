// Package etcdstore keeps a store in etcd, for programs without a disk. It has two kinds of stores:
//
//   - [New] returns a store that has a prefix for itself, and keeps the whole contract of package store.
//   - [Shared] returns one of many stores that share equal values, for the nodes of one tailnet.
//
// When a write returns nil, it is on the disks of most of the servers. Reads are linearizable.
//
// # Size
//
// By default a server accepts requests of at most 1.5 MiB and transactions of at most 128 operations. Its flags
// --max-request-bytes and --max-txn-ops change that. A change that fits into one transaction is
// applied by one. A larger change takes several: first transactions with the other entries, then one with the last entry to put, the guard and
// the removals, as far as they fit, then further removals. Nevertheless
// the change is atomic, as [github.com/netmapcache/netmapcache/store.Committer] says. If a value
// doesn't fit into one request, the store refuses the change before it writes anything.
//
// # Errors
//
// Errors of the client are wrapped: errors.Is finds those of package
// go.etcd.io/etcd/api/v3/v3rpc/rpctypes, such as ErrNoSpace, ErrPermissionDenied and
// ErrInvalidAuthToken. Methods end with their context, even if no server answers. See
// [WithTimeout] for contexts without a deadline. If the connection or the leader is lost during a
// write, the error says that it is unknown whether the write took effect.
package etcdstore
