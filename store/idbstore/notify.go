//go:build js

package idbstore

import (
	"sync"

	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// openChannel opens the BroadcastChannel on which the stores of a database tell
// one another of changes.
func openChannel(database string) browser.Channel {
	return browser.NewChannel("netmapcache/idbstore/" + database)
}

// Subscribe calls fn when another Store of this database has changed it, be it in
// this page, in another or in a worker, until cancel is called or s is closed.
// Calls don't overlap. Changes in quick succession may be reported as one; one of
// which the other Store can't tell whether it took effect is not reported. In a
// browser without BroadcastChannel fn is never called.
func (s *Store) Subscribe(fn func()) (cancel func()) {
	changed := make(chan struct{}, 1)
	unlisten := s.channel.OnMessage(func() {
		select {
		case changed <- struct{}{}:
		default: // fn has yet to be called for an earlier change
		}
	})
	canceled := make(chan struct{})
	go func() {
		defer unlisten()
		for {
			select {
			case <-changed:
			case <-canceled:
				return
			case <-s.ended:
				return
			}
			select {
			case <-canceled:
				return
			default:
				fn()
			}
		}
	}()
	return sync.OnceFunc(func() { close(canceled) })
}
