//go:build js

package idbstore

import (
	"sync"

	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

// openChannel opens the BroadcastChannel on which the stores of a database announce
// changes to each other.
func openChannel(database string) browser.Channel {
	return browser.NewChannel("netmapcache/idbstore/" + database)
}

// Subscribe calls fn when another Store of this database, in
// this page, in another page or in a worker, has changed it, until cancel is called or s is closed.
// Calls don't overlap. One call may stand for several changes in quick succession. If the
// other Store doesn't know whether its change took effect, it doesn't announce the change. In a
// browser without BroadcastChannel fn is never called.
func (s *Store) Subscribe(fn func()) (cancel func()) {
	changed := make(chan struct{}, 1)
	unlisten := s.channel.OnMessage(func() {
		select {
		case changed <- struct{}{}:
		default: // the call for an earlier change is still to come
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
