//go:build js

package idbstore

import (
	"context"
	"fmt"
	"iter"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// pageKeys is the number of keys that List collects before it yields them.
const pageKeys = 512

// List implements [store.Store]. It walks the keys by a cursor, one page in
// each transaction. No transaction is open while the caller uses a page. List skips keys that
// aren't valid, which only other code can have stored. To the other
// methods they are absent.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		// If prefix isn't a valid key, no valid key begins with it.
		p := page{prefix: prefix, last: prefix, final: prefix != "" && !store.ValidKey(prefix)}
		err := ctx.Err()
		for err == nil && !p.final {
			if err = s.use(ctx, func(c *conn) error { return p.next(ctx, c) }); err != nil {
				break
			}
			for _, key := range p.keys {
				if err = ctx.Err(); err != nil {
					break
				}
				if !yield(key, nil) {
					return
				}
			}
		}
		if err != nil {
			yield("", explain(ctx, fmt.Sprintf("list %q", prefix), err))
		}
	}
}

// A page is a run of keys with a prefix.
type page struct {
	prefix string
	keys   []string
	last   string // the last key seen, valid or not
	begun  bool   // last has been seen, and isn't the prefix
	final  bool   // there are no keys after these
}

// next replaces the page by the following one.
func (p *page) next(ctx context.Context, c *conn) error {
	bounds, err := idb.NewKeyRangeBound(js.ValueOf(p.last), js.ValueOf(successor(p.prefix)), p.begun, true)
	if err != nil {
		return browser.Normal(err)
	}
	t, err := c.begin(readOnly)
	if err != nil {
		return err
	}
	req, err := t.entries.OpenKeyCursorRange(bounds, idb.CursorNext)
	if err != nil {
		return browser.Normal(err)
	}
	cursor, err := t.await(ctx, req.Request)
	if err != nil {
		return err
	}
	if cursor.IsNull() {
		p.keys, p.final = nil, true
		return nil
	}
	wait, cancel := c.wait(ctx)
	defer cancel()
	keys, err := browser.Walk(wait, cursor, pageKeys)
	if err != nil {
		t.abort()
		return t.failure(err)
	}
	n := keys.Length()
	next := page{prefix: p.prefix, final: n < pageKeys}
	for i := range n {
		next.last, next.begun = keys.Index(i).String(), true
		if store.ValidKey(next.last) {
			next.keys = append(next.keys, next.last)
		}
	}
	*p = next
	return nil
}

// successor returns the least string above all valid keys that begin with prefix.
func successor(prefix string) string {
	if prefix == "" {
		return "\x7f"
	}
	end := len(prefix) - 1
	return prefix[:end] + string(rune(prefix[end]+1))
}
