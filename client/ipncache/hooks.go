package ipncache

import (
	"context"
	"sync"
	"time"

	"tailscale.com/control/controlclient"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnext"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/tailcfg"
	"tailscale.com/types/logger"
	"tailscale.com/types/netmap"
	"tailscale.com/util/eventbus"
	"tailscale.com/wgengine/magicsock"
)

// An extension follows one backend. Its hooks, which run with the backend locked, only take notes and
// wake the extension's goroutine, which does the work.
type extension struct {
	lb   *ipnlocal.LocalBackend
	host ipnext.Host
	opts Options
	logf logger.Logf

	wake   chan struct{}    // holds a token if there are new notes
	looks  <-chan time.Time // when to look at the netmap without a note
	ctx    context.Context
	cancel context.CancelFunc
	clears chan clearing // calls of Clear
	done   chan struct{} // closed when the goroutine has ended
	bus    *eventbus.Client

	discoKey discoKey

	mu    sync.Mutex
	notes notes
}

// notes are what the hooks have seen.
type notes struct {
	login    *login             // nil until the backend is started
	changed  bool               // the netmap has changed since the goroutine last read this
	commits  []commit           // commits that have ended since then
	first    *netmap.NetworkMap // the netmap that the backend got when it had none; nil while it has none
	asked    bool               // control has asked for a login since the login's control client was made
	homeDERP int64              // the region that magicsock last made its home; 0 if none yet

	// sessions are the WireGuard sessions that began while control was away. The value says whether the peer was sent this
	// node's disco key. The map is nil while control is there.
	sessions map[tailcfg.StableNodeID]bool
}

// A login says what the backend is logged in as, or wants to be. It is immutable. Whenever any of it changes, a new one replaces it, with the
// backend locked. So code that finds the same *login before and after looking at the backend has seen the backend of that login.
type login struct {
	identity
	control controlclient.Client // a new client, for which a netmap can be restored; nil if there is none
}

// An identity says whose netmap it is.
type identity struct {
	profile ipn.ProfileID // empty if it is new, and was never logged in
	owner   string        // URL of the control server
}

func newExtension(logf logger.Logf, lb *ipnlocal.LocalBackend, opts Options) *extension {
	return &extension{
		lb:     lb,
		opts:   opts,
		logf:   logger.WithPrefix(logf, name+": "),
		wake:   make(chan struct{}, 1),
		looks:  time.Tick(lookEvery),
		clears: make(chan clearing),
		done:   make(chan struct{}),
	}
}

// Name implements [ipnext.Extension].
func (e *extension) Name() string { return name }

// Init implements [ipnext.Extension]. The backend calls it when it is first started.
func (e *extension) Init(h ipnext.Host) error {
	e.host = h
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.bus = e.lb.Sys().Bus.Get().Client(name)
	eventbus.SubscribeFunc(e.bus, e.homeDERPChanged)
	e.discoKey = newDiscoKey(e.bus)
	hooks := h.Hooks()
	hooks.NewControlClient.Add(e.newControlClient)
	hooks.ProfileStateChange.Add(e.profileChanged)
	hooks.OnNetMapToggle.Add(e.netMapToggled)
	hooks.MutateNotifyLocked.Add(e.notified)
	go newWorker(e).run()
	return nil
}

// Shutdown implements [ipnext.Extension].
func (e *extension) Shutdown() error {
	e.bus.Close()
	e.cancel()
	<-e.done
	return nil
}

// note changes the notes and wakes the goroutine.
func (e *extension) note(change func(*notes)) {
	e.mu.Lock()
	change(&e.notes)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// noted returns the notes.
func (e *extension) noted() notes {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.notes
}

// still reports whether the backend's login is still l.
func (e *extension) still(l *login) bool { return e.noted().login == l }

func (e *extension) newControlClient(cc controlclient.Client, profile ipn.LoginProfileView) (cleanup func()) {
	owner := e.host.Profiles().CurrentPrefs().ControlURLOrDefault(e.lb.PolicyClient())
	e.note(func(n *notes) {
		n.login = &login{identity{profile.ID(), owner}, cc}
		n.asked = false
	})
	return nil
}

// profileChanged is called before newControlClient if the user switches profiles. It is also called with the same control client, when control
// knows who has logged in: the profile then gets its ID, or another profile takes its place. (The URL in the preferences need not be the one that the client uses.)
func (e *extension) profileChanged(profile ipn.LoginProfileView, _ ipn.PrefsView, sameNode bool) {
	e.note(func(n *notes) {
		if n.login != nil && (!sameNode || n.login.profile != profile.ID()) {
			n.login = &login{identity: identity{profile.ID(), n.login.owner}}
		}
	})
}

// netMapToggled is called when a netmap is removed, or is installed where there was none, before the engine gets its relays.
func (e *extension) netMapToggled(nm *netmap.NetworkMap) {
	e.note(func(n *notes) { n.first = nm })
	if nm != nil && nm.Cached {
		e.stayHome(nm)
	}
}

// notified is called for everything that the backend tells its watchers. For an extension that is itself
// a watcher of peers, the backend would copy every peer at each full netmap.
func (e *extension) notified(n *ipn.Notify) {
	if n.BrowseToURL != nil {
		e.note(func(n *notes) { n.asked = true })
	}
	if n.SelfChange != nil || len(n.PeersChanged) > 0 || len(n.PeersRemoved) > 0 ||
		len(n.PeerChangedPatch) > 0 || len(n.UserProfiles) > 0 {
		e.note(func(n *notes) { n.changed = true })
	}
	if len(n.PeerState) > 0 {
		e.note(func(notes *notes) { notes.sessionsChanged(n.PeerState) })
	}
}

func (e *extension) homeDERPChanged(c magicsock.HomeDERPChanged) {
	e.note(func(n *notes) {
		n.homeDERP = int64(c.New)
		n.changed = true
	})
}
