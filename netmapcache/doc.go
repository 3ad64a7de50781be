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
// The store holds one snapshot of a netmap, as columns that never change and a
// root that names them by their digests. Writing the root is the commit, so a
// call that changes the snapshot takes effect as a whole or not at all. Over a
// store that implements [store.Committer], as all stores of this module do,
// several caches, in tabs or processes, may share a store. [Cache.Store] replaces
// the whole snapshot, and the last one wins; an update changes only what it names, in
// whatever is stored when it commits. A plain four-method [Store] keeps a snapshot
// whole across crashes too, but must have one writer at a time.
//
// A call returns once its change is stored, or, with [WithWriteBehind], once it is noted.
//
// # Errors
//
// An error that satisfies errors.Is(err, [ErrCacheNotAvailable]) says that the store
// holds no usable snapshot; the sentinels that say why are listed there. Any
// other error comes from the store and wraps its cause.
//
// # Build tag
//
// With the build tag netmapcache_omit, caching is left out: updates do nothing
// and Load reports [ErrCacheNotAvailable].
package netmapcache
