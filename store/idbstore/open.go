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

// request asks the browser for a connection, and waits for it for a bounded time.
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
// The browser doesn't always say what holds a request up. It sends an event to the code whose own request is
// blocked, and to connections that should close. But it sends none if a request waits for another
// blocked request, to delete the database. If the browser answers another question
// meanwhile, answer assumes that this is the case.
func (s *Store) answer(ctx context.Context, factory js.Value, req *browser.Request) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.silence, errSilent)
	defer cancel()
	timer := time.NewTimer(s.doubt)
	defer timer.Stop()
	blocked := req.Blocked()
	var alive <-chan struct{}
	var held error // what the next expiry of timer means
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

// openError returns the error that the failure of a request to open a database stands for.
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
