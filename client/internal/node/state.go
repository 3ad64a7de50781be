package node

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/netmapcache/netmapcache/client/ipncache"
	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/health"
	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
	"tailscale.com/tsconst"
	"tailscale.com/types/key"
)

// A Phase is what a node is doing about its control plane. Peers may be reached in all of them; in Login
// only if the node has a cached network map and its key has not expired.
type Phase string

const (
	Connecting Phase = "connecting" // trying to reach control for the first time
	Login      Phase = "login"      // waiting for the user to sign in, at State.LoginURL if there is one
	Approval   Phase = "approval"   // waiting for an administrator to let the node in
	Live       Phase = "live"       // following the network map
	Waiting    Phase = "waiting"    // control could not be reached; trying again and again
)

// State is what a node reports of itself.
type State struct {
	Phase         Phase
	Since         time.Time // when the phase began
	LoginURL      string    // in phase Login; may be empty
	Error         string    // in phases Login and Waiting: why control could not be reached
	Refused       bool      // in phase Login: control doesn't let the node in, for the reason in Error
	ExitNodeError string    // why there is no way out of the tailnet, though one was asked for
	Backend       ipn.State // that of the backend
	NodeKey       key.NodePublic
	// KeyExpired is when the node key expired; zero if it has not. Until Login nothing can be reached then.
	KeyExpired time.Time

	FullMaps int       // full network maps received since the start
	Deltas   int       // other changes received since the start
	Saved    bool      // whether the cache has everything received so far
	SavedAt  time.Time // when what there was had last been saved, or was found to be saved already; zero before
	// SaveError tells why the last attempt to save failed; empty if it did not.
	SaveError string
	// CacheError tells why the node didn't start from a cached network map; empty if it did, or if there was none.
	CacheError string
}

// A Mark is an event in the start of a node.
type Mark string

const (
	Started      Mark = "started"       // the backend runs
	Restored     Mark = "restored"      // it has the cached network map
	EngineUp     Mark = "engine up"     // the engine knows peers and routes
	RelayUp      Mark = "relay up"      // a relay has answered
	PeerAnswered Mark = "peer answered" // the first bytes of a peer's answer are there
	ControlLive  Mark = "control live"  // control has sent its network map
)

// mark tells that m was reached, the first time that it is.
func (n *Node) mark(m Mark) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.marks[m] {
		return
	}
	n.marks[m] = true
	n.opts.OnMark(m)
}

// set changes the state and tells of it.
func (n *Node) set(change func(*State)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.state
	change(&n.state)
	if n.state != before {
		n.opts.OnState(n.state)
	}
}

// watch follows what the backend tells of itself, until ctx ends.
func (n *Node) watch(ctx context.Context) {
	for ctx.Err() == nil {
		// A watcher that falls behind is dropped, and begins anew.
		n.backend.WatchNotifications(ctx, ipn.NotifyInitialState, nil, n.notified)
	}
}

func (n *Node) notified(note *ipn.Notify) (keepGoing bool) {
	n.set(func(s *State) {
		if note.BrowseToURL != nil {
			s.LoginURL = *note.BrowseToURL
		}
		if note.LoginFinished != nil {
			s.LoginURL = ""
		}
		if note.ErrMessage != nil {
			n.refusal = *note.ErrMessage
		}
	})
	n.look()
	return true
}

// received counts what control has sent. It is called with the backend locked, where ipncache learns of the same: so
// what is received before a saving begins is saved by it.
func (n *Node) received(note *ipn.Notify) {
	full := note.SelfChange != nil
	if full {
		if nm := n.backend.NetMapNoPeers(); nm == nil || nm.Cached {
			return
		}
	} else if len(note.PeersChanged)+len(note.PeersRemoved)+len(note.PeerChangedPatch)+len(note.UserProfiles) == 0 {
		return
	}
	n.set(func(s *State) {
		if full {
			s.FullMaps++
		} else {
			s.Deltas++
		}
		s.Saved = false
	})
	select {
	case n.heard <- struct{}{}:
	default:
	}
}

// poll looks at what the backend tells nobody: whether control is being followed. While it is, each look costs a browser that has
// nothing else to do most of its work, so there are fewer.
func (n *Node) poll(ctx context.Context) {
	for {
		pause := 250 * time.Millisecond
		if n.look() == Live {
			pause = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-n.heard:
		case <-time.After(pause):
		}
	}
}

// look brings the state up to that of the backend, and returns its phase.
func (n *Node) look() Phase {
	n.looking.Lock()
	defer n.looking.Unlock()
	n.mu.Lock()
	seen := mapSeen{full: n.state.FullMaps, deltas: n.state.Deltas}
	n.mu.Unlock()
	state := n.backend.State()
	nm := n.backend.NetMapNoPeers()
	following := n.backend.HealthTracker().GetInPollNetMap() && nm != nil && !nm.Cached
	nodeKey := n.backend.NodeKey()
	failure := n.loginFailure()
	var expired time.Time
	if nm != nil && state == ipn.NeedsLogin {
		if t := nm.SelfKeyExpiry(); !t.IsZero() && t.Before(time.Now()) {
			expired = t
		}
	}
	var noExit error
	if nm != nil {
		seen.cached = nm.Cached
		noExit = n.chooseExit(seen)
	}
	var phase Phase
	askAgain := false
	n.set(func(s *State) {
		refused := failure != "" && failure == n.refusal && !strings.Contains(failure, "rate limited")
		phase = Connecting
		switch {
		case state == ipn.NeedsMachineAuth:
			phase = Approval
		case following && expired.IsZero():
			phase = Live
		case refused || s.LoginURL != "" || state == ipn.NeedsLogin && !nodeKey.IsZero():
			phase = Login
		case failure != "":
			phase = Waiting
		case s.FullMaps > 0:
			phase, failure = Waiting, "the connection was lost"
		}
		if phase != s.Phase {
			s.Phase, s.Since = phase, time.Now()
		}
		s.Error = ""
		if phase == Waiting || phase == Login {
			s.Error = failure
		}
		s.Refused = phase == Login && refused
		s.Backend, s.NodeKey, s.KeyExpired = state, nodeKey, expired
		n.exitProblem, s.ExitNodeError = noExit, ""
		if noExit != nil {
			s.ExitNodeError = noExit.Error()
		}
		askAgain = n.lost.toAsk(following, s.FullMaps > 0 && (state == ipn.Starting || state == ipn.Running))
	})
	if askAgain {
		n.signInAgain()
	}
	if nm != nil {
		n.settle()
	}
	if state == ipn.Starting || state == ipn.Running {
		n.mark(EngineUp)
	}
	if nm != nil && n.relayAnswered(nm.DERPMap) {
		n.mark(RelayUp)
	}
	if following {
		n.mark(ControlLive)
	}
	return phase
}

// relayAnswered reports whether any relay has sent something. That the backend runs says only that it has one to ask.
func (n *Node) relayAnswered(relays *tailcfg.DERPMap) bool {
	if relays == nil {
		return false
	}
	tracker := n.backend.HealthTracker()
	for _, id := range relays.RegionIDs() {
		if !tracker.GetDERPRegionReceivedTime(id).IsZero() {
			return true
		}
	}
	return false
}

// loginFailure tells why the last attempt to log in to control failed, if it did.
func (n *Node) loginFailure() string {
	tracker := n.backend.HealthTracker()
	if !tracker.IsUnhealthy(health.LoginStateWarnable) {
		return ""
	}
	warning := tracker.CurrentState().Warnings[tsconst.HealthWarnableLoginState]
	return warning.Args[health.ArgError]
}

// cacheEvent notes what is done to the cache.
func (n *Node) cacheEvent(e ipncache.Event, err error) {
	switch e {
	case ipncache.Restored:
		n.settle()
		if err == nil {
			n.mark(Restored)
		}
		n.set(func(s *State) {
			s.CacheError = ""
			if err != nil && !nothingKept(err) {
				s.CacheError = err.Error()
			}
		})
	case ipncache.Saving:
		n.mu.Lock()
		defer n.mu.Unlock()
		n.saving = n.state.FullMaps + n.state.Deltas
	case ipncache.Saved:
		n.set(func(s *State) {
			if err != nil {
				s.SaveError = err.Error()
				return
			}
			s.Saved, s.SavedAt, s.SaveError = n.saving == s.FullMaps+s.Deltas, time.Now(), ""
		})
	}
}

// nothingKept reports whether err means that there was no network map, rather than one that can't be used.
func nothingKept(err error) bool {
	for _, why := range []error{netmapcache.ErrCorrupt, netmapcache.ErrWrongOwner, netmapcache.ErrExpired, netmapcache.ErrFormat} {
		if errors.Is(err, why) {
			return false
		}
	}
	return errors.Is(err, netmapcache.ErrCacheNotAvailable)
}
