package session

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/logger"
	"tailscale.com/types/netmap"
)

// patience is how long a test waits for something that happens in milliseconds.
const patience = 20 * time.Second

// rig is a tailnet with its control plane behind a switch, and what a device keeps.
type rig struct {
	t       *testing.T
	network *tailnet.Network
	control *tailnet.Switch
	url     string

	networks, keys *memstore.Store
	cache          *netmapcache.Cache
}

func newRig(t *testing.T) *rig {
	const peers = 40
	r := &rig{
		t:        t,
		network:  tailnet.New(netmaptest.Realistic(peers+10, 1), peers, 1),
		networks: memstore.New(),
		keys:     memstore.New(),
	}
	r.control = tailnet.NewSwitch(tailnet.NewControl(r.network, logger.Discard))
	server := httptest.NewServer(r.control)
	t.Cleanup(server.Close)
	t.Cleanup(func() { r.control.Set(false) })
	r.url = server.URL
	r.cache = netmapcache.NewCache(r.networks, netmapcache.WithOwner(r.url))
	return r
}

// device is a running client whose states can be waited for.
type device struct {
	*Client
	t *testing.T

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change
	latest  State
}

// start runs a client until the test, or the function it returns, ends it.
func (r *rig) start() (*device, context.CancelFunc) {
	r.t.Helper()
	d := &device{t: r.t, changed: make(chan struct{})}
	c, err := New(r.t.Context(), Options{
		ControlURL: r.url,
		Hostname:   "test",
		Cache:      r.cache,
		Identity:   r.keys,
		OnState:    d.note,
		Logf:       logger.Discard,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	d.Client = c
	ctx, cancel := context.WithCancel(r.t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	stop := func() {
		cancel()
		running.Wait()
	}
	r.t.Cleanup(stop)
	return d, stop
}

func (d *device) note(s State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.latest = s
	close(d.changed)
	d.changed = make(chan struct{})
}

// await returns the first state from now on that ok accepts.
func (d *device) await(what string, ok func(State) bool) State {
	d.t.Helper()
	timeout := time.After(patience)
	for {
		d.mu.Lock()
		s, changed := d.latest, d.changed
		d.mu.Unlock()
		if ok(s) {
			return s
		}
		select {
		case <-changed:
		case <-timeout:
			d.t.Fatalf("waiting for %s; the state is %+v", what, s)
		}
	}
}

func (d *device) state() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.latest
}

func (d *device) awaitPhase(p Phase) State {
	d.t.Helper()
	return d.await(string(p), func(s State) bool { return s.Phase == p })
}

// awaitSaved waits until the client says that all is saved, and it is.
func (d *device) awaitSaved(cache *netmapcache.Cache) *netmap.NetworkMap {
	d.t.Helper()
	var saved *netmap.NetworkMap
	d.await("the cache to hold what the client has", func(s State) bool {
		if !s.Saved {
			return false
		}
		var err error
		if saved, err = cache.Load(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
		saved.Cached = false
		return netmaptest.Diff(saved, d.Netmap()) == ""
	})
	return saved
}

// TestFollow goes through every kind of change and compares what the client makes of the
// deltas with what it keeps, and with what control tells a client that asks anew.
func TestFollow(t *testing.T) {
	r := newRig(t)
	d, _ := r.start()
	d.awaitPhase(Live)

	for _, kind := range []tailnet.Kind{
		tailnet.PeerOnline, tailnet.PeerEndpoints, tailnet.PeerRelay, tailnet.PeerTags,
		tailnet.PeerLeaves, tailnet.PeerAppears, tailnet.UserRenamed, tailnet.FilterChanged,
	} {
		before := d.state()
		if !r.network.Change(kind) {
			t.Fatalf("%s: nothing to change", kind)
		}
		after := d.await(string(kind), func(s State) bool { return s.Deltas > before.Deltas })
		if after.FullMaps != before.FullMaps {
			t.Errorf("%s: came as a full map", kind)
		}
		d.awaitSaved(r.cache)
	}

	before := d.state()
	r.network.Change(tailnet.DNSChanged)
	d.await("a full map", func(s State) bool { return s.FullMaps > before.FullMaps })
	followed := d.awaitSaved(r.cache)

	r.control.Set(false)
	d.awaitPhase(Waiting)
	r.control.Set(true)
	d.Retry()
	d.awaitPhase(Live)
	told := d.awaitSaved(r.cache)
	// A full map has the profiles of those users only that have a peer.
	for id := range followed.UserProfiles {
		if _, ok := told.UserProfiles[id]; !ok {
			delete(followed.UserProfiles, id)
		}
	}
	if diff := netmaptest.Diff(followed, told); diff != "" {
		t.Errorf("the netmap made of deltas differs from a new full one:\n%s", diff)
	}
}

// TestChurn makes many changes at once, which the saver has to merge.
func TestChurn(t *testing.T) {
	r := newRig(t)
	d, _ := r.start()
	d.awaitPhase(Live)
	kinds := []tailnet.Kind{tailnet.PeerLeaves, tailnet.PeerTags, tailnet.PeerAppears, tailnet.PeerOnline, tailnet.UserRenamed, tailnet.PeerEndpoints, tailnet.FilterChanged}
	changes := 0
	for i := range 200 {
		if r.network.Change(kinds[i%len(kinds)]) {
			changes++
		}
	}
	d.await("all changes", func(s State) bool { return s.Deltas >= changes })
	d.awaitSaved(r.cache)
}

// TestResume starts a second run of the client with control down.
func TestResume(t *testing.T) {
	r := newRig(t)
	first, stop := r.start()
	first.awaitPhase(Live)
	last := first.awaitSaved(r.cache)
	nodeKey := first.state().NodeKey
	stop()
	r.control.Set(false)

	r.cache = netmapcache.NewCache(r.networks, netmapcache.WithOwner(r.url))
	second, _ := r.start()
	if s := second.awaitPhase(Waiting); s.Error == "" || s.NodeKey != nodeKey {
		t.Errorf("state with control down: %+v; want an error, and node key %v", s, nodeKey)
	}
	resumed, err := r.cache.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !resumed.Cached {
		t.Error("the loaded netmap isn't marked as cached")
	}
	resumed.Cached = false
	if diff := netmaptest.Diff(resumed, last); diff != "" {
		t.Errorf("the resumed netmap differs from the last one saved:\n%s", diff)
	}

	r.control.Set(true)
	second.Retry()
	if s := second.awaitPhase(Live); s.Error != "" || s.NodeKey != nodeKey {
		t.Errorf("state when control is back: %+v; want no error, and node key %v", s, nodeKey)
	}
	if got, want := second.Netmap().SelfNode.StableID(), last.SelfNode.StableID(); got != want {
		t.Errorf("back as node %v, was %v", got, want)
	}
}

// TestLogin registers with a control server that wants the user to visit a page.
func TestLogin(t *testing.T) {
	r := newRig(t)
	control := &testcontrol.Server{RequireAuth: true, Logf: logger.Discard}
	server := httptest.NewServer(control)
	t.Cleanup(server.Close)
	control.ExplicitBaseURL = server.URL
	r.url = server.URL

	d, _ := r.start()
	s := d.awaitPhase(Login)
	if !control.CompleteAuth(s.LoginURL) {
		t.Fatalf("control doesn't know the login URL %q", s.LoginURL)
	}
	if s := d.awaitPhase(Live); s.LoginURL != "" {
		t.Errorf("still asks for a login at %q", s.LoginURL)
	}
}

func TestSaveFails(t *testing.T) {
	r := newRig(t)
	broken := errors.New("the store is broken")
	var fails atomic.Bool
	fails.Store(true)
	r.networks.Before = func(op, key string) error {
		if fails.Load() && op == "Commit" {
			return broken
		}
		return nil
	}
	d, _ := r.start()
	d.saver.retry = time.Millisecond
	s := d.await("a failure to save", func(s State) bool { return s.SaveError != "" })
	if s.Phase != Live || !s.SavedAt.IsZero() {
		t.Errorf("state after a failure to save: %+v; want live and not saved", s)
	}
	r.network.Change(tailnet.PeerTags)
	fails.Store(false)
	d.await("a save", func(s State) bool { return s.SaveError == "" && s.Saved })
	d.awaitSaved(r.cache)
}

func TestUnusableIdentity(t *testing.T) {
	for name, stored := range map[string]string{
		"not JSON":       "\x00",
		"no machine key": `{"Persist":{}}`,
		"bad key":        `{"MachineKey":"privkey:12"}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if err := r.keys.Store(t.Context(), identityKey, []byte(stored)); err != nil {
				t.Fatal(err)
			}
			if _, err := New(t.Context(), Options{ControlURL: r.url, Identity: r.keys}); err == nil {
				t.Error("a client was made from it")
			}
			after, err := r.keys.Load(t.Context(), identityKey)
			if err != nil || string(after) != stored {
				t.Errorf("stored now: %q, %v; want it left as it was", after, err)
			}
		})
	}
}
