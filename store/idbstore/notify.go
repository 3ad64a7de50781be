//go:build js

package idbstore

import "sync"

// channelName is the name of the BroadcastChannel on which the stores of a
// database tell one another of changes.
func channelName(database string) string { return "netmapcache idbstore " + database }

// Subscribe calls fn when another Store of this database has changed it, be it in
// this page, in another or in a worker. Changes in quick succession may be reported
// as one, and one that the other Store can't be sure of is not reported. Calls of fn
// don't overlap, and end with cancel or Close: then at most a call under way goes on. In
// a browser without BroadcastChannel fn is never called.
func (s *Store) Subscribe(fn func()) (cancel func()) {
	changed := make(chan struct{}, 1)
	unlisten := s.channel.OnMessage(func() {
		select {
		case changed <- struct{}{}:
		default: // fn has yet to be called for an earlier change
		}
	})
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-changed:
			}
			select {
			case <-done:
				return
			default:
				fn()
			}
		}
	}()
	cancel = sync.OnceFunc(func() {
		unlisten()
		close(done)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	return cancel
}
