// Package etcdstore keeps a store in etcd, for programs without a disk. It has two stores:
//
//   - [New] returns one that has a prefix for itself, and keeps the whole contract of package store.
//   - [Shared] returns one of many that share values which are equal, for the nodes of one tailnet.
//
// What a method wrote when it returned nil is on the disks of most of the servers. Reads are linearizable.
//
// # Size
//
// A server takes no request of more than 1.5 MiB and no transaction of more than 128 operations, unless it was
// told otherwise by --max-request-bytes and --max-txn-ops. A change that fits into one transaction is
// applied by one. Of a larger one the last entry to put, the guard and, as far as they fit, the removals are in
// one transaction; the other entries are put before, and the other removals follow. All the same
// the change is atomic, as [github.com/netmapcache/netmapcache/store.Committer] says. A value that
// doesn't fit into one request is refused before anything is written.
//
// # Errors
//
// Errors of the client are wrapped: errors.Is finds those of package
// go.etcd.io/etcd/api/v3/v3rpc/rpctypes, such as ErrNoSpace, ErrPermissionDenied and
// ErrInvalidAuthToken. Methods end with their context, also while no server answers; see
// [WithTimeout] for callers whose context has no deadline. If the connection or the leader is lost during a
// write, the error says that it is unknown whether that took effect.
package etcdstore
