//go:build js

package idbstore

import (
	"fmt"
	"slices"
	"syscall/js"
	"time"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// request asks the browser for a connection, and bounds how long it may take.
func (s *Store) request() (*browser.Database, error) {
	factory, err := s.factory()
	if err != nil {
		return nil, err
	}
	o, err := browser.Open(factory, s.database, s.version, createObjectStore)
	if err != nil {
		return nil, openError(err)
	}
	timeout := time.NewTimer(s.silence)
	defer timeout.Stop()
	blocked := o.Blocked()
	for {
		select {
		case <-o.Done():
			db, err := o.Result()
			if err != nil {
				return nil, openError(err)
			}
			if err := checkLayout(db); err != nil {
				db.Close()
				return nil, err
			}
			return db, nil
		case <-blocked:
			blocked = nil
			timeout.Reset(s.patience)
		case <-timeout.C:
			o.Abandon()
			if blocked == nil {
				return nil, ErrBlocked
			}
			return nil, errSilent
		case <-s.ended:
			o.Abandon()
			return nil, ErrClosed
		}
	}
}

// indexedDB returns the browser's IDBFactory.
func indexedDB() (js.Value, error) {
	factory, err := browser.Global("indexedDB")
	if err != nil {
		return js.Value{}, fmt.Errorf("%w: %w", ErrUnavailable, browser.Normal(err))
	}
	if factory.Type() != js.TypeObject {
		return js.Value{}, ErrUnavailable
	}
	return factory, nil
}

func createObjectStore(db *idb.Database) error {
	names, err := db.ObjectStoreNames()
	if err != nil || slices.Contains(names, objectStore) {
		return err
	}
	_, err = db.CreateObjectStore(objectStore, idb.ObjectStoreOptions{})
	return err
}

func checkLayout(db *browser.Database) error {
	names, err := db.ObjectStoreNames()
	if err != nil {
		return browser.Normal(err)
	}
	if !slices.Contains(names, objectStore) {
		return fmt.Errorf("%w: it has no object store %q", ErrVersion, objectStore)
	}
	return nil
}

// openError says what the failure of a request to open a database means.
func openError(err error) error {
	switch {
	case connectionFailed(err) && !browser.Named(err, "InvalidStateError"):
		return err // worth another attempt
	case browser.Named(err, "VersionError"):
		return fmt.Errorf("%w: %w", ErrVersion, err)
	case browser.Named(err, "QuotaExceededError"):
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
