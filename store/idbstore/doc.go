// Package idbstore keeps values in a browser's IndexedDB. It works with
// GOOS=js only, in pages and in workers; elsewhere [Open] reports [errors.ErrUnsupported].
//
// A [Store] is one database of the page's origin. It has one object store, "entries", with
// string keys and Uint8Array values. It keeps the whole contract of package store:
//
//   - A commit is one transaction, which asks for strict durability. Commit returns nil only after the browser has
//     reported the transaction complete.
//   - Pages and workers may use one database at the same time. [Store.Subscribe] tells them of
//     each other's changes.
//   - The Store opens its connection again after the browser has closed it, and closes it when
//     another page wants to upgrade or delete the database. It then repeats interrupted
//     operations if that is safe.
//
// A browser can take its storage away. Unless the page has been
// granted persistent storage, the browser may delete the database when it needs
// the space, or, as Safari does, when the site was not visited for a week.
// The user can delete it at any time. The store is empty afterwards, and no error says so.
package idbstore
