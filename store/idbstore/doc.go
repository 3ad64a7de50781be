// Package idbstore keeps values in a browser's IndexedDB. It works with
// GOOS=js only, in pages and in workers; elsewhere [Open] reports [errors.ErrUnsupported].
//
// A [Store] is one database of the page's origin, with one object store, "entries", of
// string keys and Uint8Array values. All of package store's contract holds:
//
//   - A commit is one transaction. It is reported as done when the browser
//     reports it complete, not before, and asks for strict durability.
//   - Pages and workers may use one database at the same time, and hear of
//     one another's changes through [Store.Subscribe].
//   - The connection is opened again when the browser has closed it, and given up when
//     another page wants to upgrade or delete the database. What was being done
//     is then repeated where that is safe.
//
// What a browser gives it can take away. Unless the page has been
// granted persistent storage, the browser may delete the database when it needs
// the space, or, as Safari does, when the site was not visited for a week.
// The user can delete it at any time. A store is empty afterwards, without an error.
package idbstore
