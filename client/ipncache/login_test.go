package ipncache

import (
	"errors"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/logger"
)

// stick makes the next Load from s wait until release is called. stuck is closed when it waits.
func stick(s *memstore.Store) (stuck <-chan struct{}, release func()) {
	began, end := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(began) })
	s.Before = func(op, key string) error {
		if op != "Commit" {
			begin()
			<-end
		}
		return nil
	}
	return began, sync.OnceFunc(func() { close(end) })
}

// TestSwitchWhileLoading switches to another profile while the first one's netmap is loaded from a slow store. What
// the other profile gets from control, a netmap or the demand to keep none, must not affect the first.
func TestSwitchWhileLoading(t *testing.T) {
	for name, caps := range map[string]tailcfg.NodeCapMap{
		"keep":   {tailcfg.NodeAttrCacheNetworkMaps: nil},
		"forbid": {tailcfg.NodeAttrDisableCacheNetworkMaps: nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			var mu sync.Mutex
			stores := map[ipn.ProfileID]*memstore.Store{}
			storeOf := func(profile ipn.ProfileID) *memstore.Store {
				mu.Lock()
				defer mu.Unlock()
				if stores[profile] == nil {
					stores[profile] = memstore.New()
				}
				return stores[profile]
			}
			r.open = func(profile ipn.ProfileID) (store.Store, error) { return storeOf(profile), nil }
			d := r.start()
			d.login()
			first := d.CurrentProfile().ID()
			e, _ := ipnlocal.GetExt[*extension](d.LocalBackend)
			firstLogin := e.noted().login
			d.await("the first netmap to be saved", func() bool { return r.cachedIn(storeOf(first)) != nil })
			kept := r.cachedIn(storeOf(first))
			if err := d.NewProfile(); err != nil {
				t.Fatal(err)
			}
			r.newNetwork(caps)
			other := httptest.NewServer(r.control) // by another URL, as one user has one profile at each
			defer other.Close()
			r.url = other.URL
			d.begin()
			d.login()
			second := d.CurrentProfile().ID()
			secondKey := d.NodeKey()

			stuck, release := stick(storeOf(first))
			defer release()
			if err := d.SwitchProfile(first); err != nil {
				t.Fatal(err)
			}
			<-stuck
			if err := d.SwitchProfile(second); err != nil {
				t.Fatal(err)
			}
			d.await("the second profile's netmap", func() bool { return d.live() && d.NetMapNoPeers().NodeKey == secondKey })
			release()
			d.change(3)
			w := newWorker(e) // as the goroutine may have been: just about to save when the login changed
			w.cache = &cache{Cache: netmapcache.NewCache(storeOf(first))}
			w.save(t.Context(), firstLogin)
			d.stop()
			if diff := netmaptest.Diff(r.cachedIn(storeOf(first)), kept, netmaptest.Ignore("netmap.NetworkMap.SelfNode.HomeDERP")); diff != "" {
				t.Errorf("the first profile's netmap has changed:\n%s", diff)
			}
			if got := r.cachedIn(storeOf(second)); (got != nil) != (name == "keep") || got != nil && got.NodeKey != secondKey {
				t.Errorf("stored for the second profile: %v", got)
			}
		})
	}
}

// forget replaces control by one that knows no node, and lets no node in before a user has signed in.
func (r *rig) forget() {
	r.control.Replace(&testcontrol.Server{Logf: logger.Discard, RequireAuth: true, ExplicitBaseURL: r.url})
}

// askedToLogin reports whether the backend knows where its user has to go.
func (d *device) askedToLogin() bool { return d.StatusWithoutPeers().AuthURL != "" }

// TestAskedWhileLoading: control asks for a login while the netmap is loaded from a slow store.
func TestAskedWhileLoading(t *testing.T) {
	r := newRig(t)
	d, _ := r.startSaved()
	d.stop()
	r.forget()
	stuck, release := stick(r.networks)
	defer release()
	d = r.start()
	<-stuck
	d.await("control to ask for a login", func() bool { return d.askedToLogin() && d.State() == ipn.NeedsLogin })
	release()
	if err := d.awaitEvent(Restored); !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("restored: %v", err)
	}
	if !d.askedToLogin() || d.State() != ipn.NeedsLogin {
		t.Errorf("in state %v, to sign in at %q", d.State(), d.StatusWithoutPeers().AuthURL)
	}
}

// TestAskedJustBefore: control asks for a login just before the cached netmap is installed, after the last check.
func TestAskedJustBefore(t *testing.T) {
	r := newRig(t)
	d, _ := r.startSaved()
	d.stop()
	nm := r.cached()
	r.networks = memstore.New()
	r.forget()
	d = r.start()
	d.await("control to ask for a login", d.askedToLogin)
	e, _ := ipnlocal.GetExt[*extension](d.LocalBackend)
	newWorker(e).install(e.noted().login, nm)
	d.await("control to ask again", func() bool { return d.NetMapNoPeers() != nil && d.askedToLogin() })
}

// TestOpen counts the calls of Options.Open when there is no store, or the store can't be opened.
func TestOpen(t *testing.T) {
	r := newRig(t)
	var (
		mu    sync.Mutex
		calls int
		s     store.Store
		fail  error
	)
	r.open = func(ipn.ProfileID) (store.Store, error) {
		mu.Lock()
		defer mu.Unlock()
		calls++
		return s, fail
	}
	d := r.start()
	d.login()
	d.change(20)
	d.stop()
	if calls != 1 {
		t.Errorf("a store that is nil was asked for %d times", calls)
	}

	broken := errors.New("can't be opened")
	calls, fail = 0, broken
	told := 0
	r.onEvent = func(_ *ipnlocal.LocalBackend, e Event, err error) {
		if e == Restored && errors.Is(err, broken) {
			told++
		}
	}
	d = r.start()
	d.await("a netmap", d.live)
	d.change(20)
	mu.Lock()
	failed := calls
	s, fail = r.networks, nil
	mu.Unlock()
	d.awaitSaved(nil)
	d.stop()
	if failed == 0 || failed > 10 || told != 1 {
		t.Errorf("a store that can't be opened was asked for %d times, and that told %d times", failed, told)
	}
}

// TestClear clears the cache as a user would, and goes on.
func TestClear(t *testing.T) {
	r := newRig(t)
	d, last := r.startSaved()
	d.stop()
	r.control.Set(false)
	d = r.start()
	if err := d.awaitEvent(Restored); err != nil {
		t.Fatal(err)
	}
	if err := Clear(t.Context(), d.LocalBackend); err != nil {
		t.Fatal(err)
	}
	if r.cached() != nil {
		t.Error("the netmap is still there")
	}
	r.control.Set(true)
	d.await("a live netmap", d.live)
	r.network.Change(tailnet.PeerTags)
	d.awaitSaved(last)
}
