package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/types/logger"
	"tailscale.com/types/netmap"
)

// patience is how long a test waits for something that happens within seconds.
const patience = time.Minute

// rig is a tailnet with a relay, its control plane behind a switch, and what a device keeps.
type rig struct {
	t       *testing.T
	network *tailnet.Network
	control *tailnet.Switch
	url     string

	networks, keys *memstore.Store
}

func newRig(t *testing.T) *rig {
	tailnet.Confine()
	const peers = 40
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	nm := netmaptest.Realistic(peers+10, 1)
	tailnet.UseRelay(nm, netip.MustParseAddrPort(server.Listener.Addr().String()))
	r := &rig{
		t:        t,
		network:  tailnet.New(nm, peers, 1),
		url:      server.URL,
		networks: memstore.New(),
		keys:     memstore.New(),
	}
	r.control = tailnet.NewSwitch(tailnet.NewControl(r.network, logger.Discard))
	mux.Handle("/key", r.control)
	mux.Handle("/ts2021", r.control)
	mux.Handle("/derp", tailnet.NewRelay(logger.Discard))
	t.Cleanup(func() { r.control.Set(false) })
	return r
}

// cache returns a cache of what the device keeps.
func (r *rig) cache(owner string) *netmapcache.Cache {
	return netmapcache.NewCache(r.networks, netmapcache.WithOwner(owner))
}

// device is a running node whose states and marks can be waited for.
type device struct {
	*Node
	t *testing.T

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change
	latest  State
	marks   []Mark
}

// friend starts a native peer of that name.
func (r *rig) friend() {
	r.t.Helper()
	r.network.AddNative("friend", false)
	friend, err := tailnet.StartNative("friend", r.url, r.t.TempDir(), nil, logger.Discard)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { friend.Close() })
	if err := friend.Up(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// start runs a node until the test ends or it is stopped.
func (r *rig) start() *device {
	r.t.Helper()
	return r.startWith(func(*Options) {})
}

// startWith does so with other options.
func (r *rig) startWith(change func(*Options)) *device {
	r.t.Helper()
	d := &device{t: r.t, changed: make(chan struct{})}
	opts := Options{
		ControlURL: r.url,
		Hostname:   "test",
		Networks:   r.networks,
		Keys:       r.keys,
		OnState:    func(s State) { d.note(func() { d.latest = s }) },
		OnMark:     func(m Mark) { d.note(func() { d.marks = append(d.marks, m) }) },
		Logf:       logger.Discard,
	}
	change(&opts)
	n, err := Start(opts)
	if err != nil {
		r.t.Fatal(err)
	}
	d.Node = n
	r.t.Cleanup(d.Stop)
	return d
}

func (d *device) note(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
	close(d.changed)
	d.changed = make(chan struct{})
}

// await returns the first state from now on that ok accepts.
func (d *device) await(what string, ok func(State, []Mark) bool) State {
	d.t.Helper()
	timeout := time.After(patience)
	for {
		d.mu.Lock()
		s, marks, changed := d.latest, d.marks, d.changed
		d.mu.Unlock()
		if ok(s, marks) {
			return s
		}
		select {
		case <-changed:
		case <-timeout:
			d.t.Fatalf("waited for %s in vain; state: %+v, marks: %v", what, s, marks)
		}
	}
}

func (d *device) awaitSaved() State {
	d.t.Helper()
	return d.await("a saved live netmap", func(s State, _ []Mark) bool { return s.Phase == Live && s.FullMaps > 0 && s.Saved })
}

// get fetches the page of a peer.
func (d *device) get(url string) (string, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := d.Fetch(request, true)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func mustLoad(t *testing.T, c *netmapcache.Cache) *netmap.NetworkMap {
	t.Helper()
	nm, err := c.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return nm
}

// TestForeign starts a node whose cache holds the network map of another owner, while control is down.
func TestForeign(t *testing.T) {
	r := newRig(t)
	first := r.start()
	first.awaitSaved()
	first.Stop()
	r.control.Set(false)
	kept := mustLoad(t, r.cache(r.url))
	kept.Cached = false
	if err := r.cache("http://other.example").Store(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	second := r.start()
	second.await("a refusal", func(s State, _ []Mark) bool { return strings.Contains(s.CacheError, netmapcache.ErrWrongOwner.Error()) })
	if nm := second.Netmap(); nm != nil {
		t.Errorf("the node has a network map all the same, with %d peers", len(nm.Peers))
	}
}

// TestFirstStart starts a node that has nothing, while control is down.
func TestFirstStart(t *testing.T) {
	r := newRig(t)
	r.control.Set(false)
	d := r.start()
	d.await("a failure", func(s State, _ []Mark) bool { return s.Phase == Waiting && s.Error != "" })
	if _, err := d.get("http://web/"); !errors.Is(err, ErrNeedsLogin) {
		t.Errorf("fetch: %v; want %v", err, ErrNeedsLogin)
	}
	r.control.Set(true)
	d.Retry()
	d.awaitSaved()
}

// TestLogout logs a node out, while control can be reached and while it can't.
func TestLogout(t *testing.T) {
	for _, up := range []bool{true, false} {
		t.Run(fmt.Sprintf("control up %v", up), func(t *testing.T) {
			r := newRig(t)
			d := r.start()
			first := d.awaitSaved().NodeKey
			if !up {
				r.control.Set(false)
				d.await("a lost connection", func(s State, _ []Mark) bool { return s.Phase == Waiting })
			}
			before := r.network.Registrations()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if !up {
				ctx, cancel = context.WithTimeout(t.Context(), time.Second)
				defer cancel()
			}
			err := d.Logout(ctx)
			if told := err == nil; told != up {
				t.Errorf("Logout: %v", err)
			}
			if told := r.network.Registrations() > before; told != up {
				t.Errorf("control was told: %v", told)
			}
			d.Stop()
			if !up {
				return
			}
			second := r.start()
			if again := second.awaitSaved().NodeKey; again == first {
				t.Error("the next start has the same key")
			}
		})
	}
}
