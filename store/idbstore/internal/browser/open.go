//go:build js

package browser

import (
	"context"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
)

// A Database is an open connection.
type Database struct {
	*idb.Database
	raw js.Value
}

// OnClose calls fn when the browser itself closes the connection, as it does when
// the user clears the site's data. fn runs as in [Listen].
func (db *Database) OnClose(fn func()) (remove func()) {
	return Listen(db.raw, "close", func(js.Value) { fn() })
}

// OnVersionChange calls fn when another connection waits for this one to
// close, to upgrade or delete the database. fn runs as in [Listen].
func (db *Database) OnVersionChange(fn func()) (remove func()) {
	return Listen(db.raw, "versionchange", func(js.Value) { fn() })
}

// A Request asks the browser to open or to delete a database.
type Request struct {
	blocked   chan struct{}
	done      chan struct{}
	db        *Database
	err       error
	abandoned bool
}

// newRequest returns a Request for raw, an IDBOpenDBRequest. It calls succeeded or failed when the
// browser answers. The result of that call is the error of the Request.
func newRequest(raw js.Value, succeeded func(r *Request, event js.Value) error, failed func() error) *Request {
	r := &Request{blocked: make(chan struct{}), done: make(chan struct{})}
	var remove []func()
	end := func(err error) {
		for _, fn := range remove {
			fn()
		}
		r.err = err
		close(r.done)
	}
	remove = []func(){
		Listen(raw, "blocked", func(js.Value) {
			select {
			case <-r.blocked:
			default:
				close(r.blocked)
			}
		}),
		Listen(raw, "error", func(js.Value) { end(failed()) }),
		Listen(raw, "success", func(event js.Value) { end(succeeded(r, event)) }),
	}
	return r
}

// Open asks factory, an IDBFactory, for a connection to the named database.
// If the database has a lower version, upgrade is called first, on the event loop. If upgrade
// reports an error, the database stays as it was and the Request fails with that error.
func Open(factory js.Value, name string, version uint, upgrade func(*idb.Database) error) (*Request, error) {
	raw, err := Try(func() (js.Value, error) { return factory.Call("open", name, version), nil })
	if err != nil {
		return nil, Normal(err)
	}
	var (
		req        *idb.OpenDBRequest
		upgradeErr error
		ctx, stop  = context.WithCancel(context.Background())
	)
	r := newRequest(raw,
		func(r *Request, event js.Value) error {
			defer stop()
			// The library's listener would add another for "versionchange",
			// which logs and is never removed.
			event.Call("stopImmediatePropagation")
			if r.abandoned {
				raw.Get("result").Call("close")
				return nil
			}
			db, err := req.Result()
			if err != nil {
				return err
			}
			r.db = &Database{db, raw.Get("result")}
			return nil
		},
		func() error {
			defer stop()
			if upgradeErr != nil {
				return upgradeErr
			}
			return exception(raw.Get("error"))
		})
	req, err = adopt(ctx, raw, func(db *idb.Database, _, _ uint) error {
		if upgradeErr = upgrade(db); upgradeErr != nil {
			// This throws if the browser has already aborted the upgrade.
			Try(func() (js.Value, error) { return raw.Get("transaction").Call("abort"), nil })
		}
		return nil // the library panics on an error
	})
	if err != nil {
		r.abandoned = true
		return nil, err
	}
	return r, nil
}

// adopt makes the library wrap an IDBOpenDBRequest that it did not create. The library doesn't expose the
// requests that it creates, nor their event "blocked".
func adopt(ctx context.Context, raw js.Value, upgrade idb.Upgrader) (*idb.OpenDBRequest, error) {
	open := js.FuncOf(func(js.Value, []js.Value) any { return raw })
	defer open.Release()
	return Try(func() (*idb.OpenDBRequest, error) {
		factory, err := idb.WrapFactory(js.ValueOf(map[string]any{"open": open}))
		if err != nil {
			return nil, err
		}
		return factory.Open(ctx, "", 0, upgrade)
	})
}

// Delete asks factory, an IDBFactory, to delete the named database.
func Delete(factory js.Value, name string) (*Request, error) {
	raw, err := Try(func() (js.Value, error) { return factory.Call("deleteDatabase", name), nil })
	if err != nil {
		return nil, Normal(err)
	}
	return newRequest(raw,
		func(*Request, js.Value) error { return nil },
		func() error { return exception(raw.Get("error")) }), nil
}

// Blocked is closed when the browser has asked other connections to close, because the database
// is to be upgraded or deleted, and they haven't closed.
func (r *Request) Blocked() <-chan struct{} { return r.blocked }

// Done is closed when the browser has answered.
func (r *Request) Done() <-chan struct{} { return r.done }

// Result returns the requested connection, or why there is none. It is valid
// once Done is closed.
func (r *Request) Result() (*Database, error) { return r.db, r.err }

// Abandon gives the request up. The browser can't cancel it. If the browser grants a connection
// later, Abandon closes it at once. Until then the listeners live on.
func (r *Request) Abandon() {
	r.abandoned = true
	if r.db != nil {
		r.db.Close()
	}
}
