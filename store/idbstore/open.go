//go:build js

package idbstore

import (
	"context"
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
	req, err := browser.Open(factory, s.database, s.version, createObjectStore)
	if err != nil {
		return nil, openError(err)
	}
	if err := s.answer(context.Background(), factory, req); err != nil {
		req.Abandon()
		return nil, err
	}
	db, _ := req.Result()
	if err := checkLayout(db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// answer waits until the browser has answered req, for a bounded time.
//
// Who holds a request up isn't always told. The browser tells the one whose own request is
// blocked, and those who are asked to close; but not the one whose request waits until another's
// blocked request, to delete the database, is done. If the browser answers another question
// meanwhile, that is taken to be so.
func (s *Store) answer(ctx context.Context, factory js.Value, req *browser.Request) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.silence, errSilent)
	defer cancel()
	timer := time.NewTimer(s.doubt)
	defer timer.Stop()
	blocked := req.Blocked()
	var alive <-chan struct{}
	var held error // what the next event of timer says
	if s.yielded.Load() {
		held = errBehind
		timer.Reset(s.patience)
	}
	for {
		select {
		case <-req.Done():
			if _, err := req.Result(); err != nil {
				return openError(err)
			}
			return nil
		case <-blocked:
			blocked, held = nil, ErrBlocked
			timer.Reset(s.patience)
		case <-alive:
			alive, held = nil, errBehind
			timer.Reset(s.doubt)
		case <-timer.C:
			if held != nil {
				return held
			}
			alive = browser.Alive(ctx, factory)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.ended:
			return ErrClosed
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
