// Package plainstore reduces a store to the four methods of [store.Store], for tests of what happens without its other abilities.
package plainstore

import "github.com/netmapcache/netmapcache/store"

type fourMethods = store.Store // embedded under its own name, it would hide the method Store

// A Store has the four methods of another store, and no others.
type Store struct{ fourMethods }

// New returns a Store on s.
func New(s store.Store) Store { return Store{s} }

// Whole returns the store with all of its abilities.
func (s Store) Whole() store.Store { return s.fourMethods }
