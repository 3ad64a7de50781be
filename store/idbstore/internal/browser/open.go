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

// OnClose calls fn when the browser closes the connection of itself, as it does when
// the user clears the site's data. fn runs as that of [Listen].
func (db *Database) OnClose(fn func()) (remove func()) {
	return Listen(db.raw, "close", func(js.Value) { fn() })
}

// OnVersionChange calls fn when another connection waits for this one to
// close, to upgrade or delete the database. fn runs as that of [Listen].
func (db *Database) OnVersionChange(fn func()) (remove func()) {
	return Listen(db.raw, "versionchange", func(js.Value) { fn() })
}

// An Opening is a request for a connection.
type Opening struct {
	blocked   chan struct{}
	done      chan struct{}
	db        *Database
	err       error
	abandoned bool
}

// Open asks factory, an IDBFactory, for a connection to the named database.
// If its version is lower, upgrade is called first, on the event loop; if that
// reports an error, the database stays as it was and so ends the Opening.
func Open(factory js.Value, name string, version uint, upgrade func(*idb.Database) error) (*Opening, error) {
	raw, err := Try(func() (js.Value, error) { return factory.Call("open", name, version), nil })
	if err != nil {
		return nil, Normal(err)
	}
	o := &Opening{blocked: make(chan struct{}), done: make(chan struct{})}
	var (
		req        *idb.OpenDBRequest
		upgradeErr error
		ctx, stop  = context.WithCancel(context.Background())
		remove     []func()
	)
	end := func() {
		stop()
		for _, fn := range remove {
			fn()
		}
		close(o.done)
	}
	remove = append(remove,
		Listen(raw, "blocked", func(js.Value) {
			select {
			case <-o.blocked:
			default:
				close(o.blocked)
			}
		}),
		Listen(raw, "error", func(js.Value) {
			o.err = upgradeErr
			if o.err == nil {
				o.err = req.Err()
			}
			end()
		}),
		Listen(raw, "success", func(event js.Value) {
			// The library's listener would add another for "versionchange",
			// which logs and is never removed.
			event.Call("stopImmediatePropagation")
			db, err := req.Result()
			switch {
			case err != nil:
				o.err = err
			case o.abandoned:
				db.Close()
			default:
				o.db = &Database{db, raw.Get("result")}
			}
			end()
		}))
	req, err = adopt(ctx, raw, func(db *idb.Database, _, _ uint) error {
		if upgradeErr = upgrade(db); upgradeErr != nil {
			// It throws if the browser has aborted the upgrade by then.
			Try(func() (js.Value, error) { return raw.Get("transaction").Call("abort"), nil })
		}
		return nil // the library panics on an error
	})
	if err != nil {
		o.abandoned = true
		return nil, err
	}
	return o, nil
}

// adopt has the library wrap an IDBOpenDBRequest that it did not make: it keeps
// the requests it makes to itself, and with them the event "blocked".
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

// Blocked is closed when other connections stand in the way of the upgrade.
func (o *Opening) Blocked() <-chan struct{} { return o.blocked }

// Done is closed when the browser has answered.
func (o *Opening) Done() <-chan struct{} { return o.done }

// Result returns the connection, or why there is none. It is valid once Done is closed.
func (o *Opening) Result() (*Database, error) { return o.db, o.err }

// Abandon gives the request up, which the browser can't: if it grants a connection
// later, that is closed at once. Until then the functions listening for it live on.
func (o *Opening) Abandon() {
	o.abandoned = true
	if o.db != nil {
		o.db.Close()
	}
}
