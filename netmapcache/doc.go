// Package netmapcache keeps the last good [netmap.NetworkMap] of a client in
// persistent storage, so that a client can start from it while its control
// plane can't be reached.
//
// It is a drop-in for tailscale.com/ipn/ipnlocal/netmapcache, reads what that
// package wrote, and also runs in a browser (GOOS=js GOARCH=wasm), over
// [github.com/netmapcache/netmapcache/store/idbstore].
//
// # Snapshots
//
// The store holds one snapshot of a netmap: columns that never change, and a
// root that names the columns by their digests. Writing the root is the commit, so a
// call takes effect as a whole or not at all. A call returns once its change is
// stored, or, with [WithWriteBehind], once the change is noted.
//
// Several caches, in tabs or processes, may share a store that implements
// [store.Committer], as all stores of this module do. [Cache.Store] replaces
// the whole snapshot, and the last one wins. An update changes only what it names, in
// whatever snapshot is stored when it commits. A plain four-method [Store] also keeps a
// snapshot whole across crashes, but must have one writer at a time.
//
// # Errors
//
// If the store holds no usable snapshot, the error satisfies errors.Is(err,
// [ErrCacheNotAvailable]), and another sentinel, listed there, says why. Any
// other error comes from the store and wraps its cause.
//
// # Build tag
//
// The build tag netmapcache_omit leaves caching out: updates do nothing, and
// Load reports [ErrCacheNotAvailable].
package netmapcache
