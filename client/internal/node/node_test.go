package node

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
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
	r.network.AddNative("web", true)
	r.network.AddNative("outsider", false)
	r.control = tailnet.NewSwitch(tailnet.NewControl(r.network, logger.Discard))
	mux.Handle("/key", r.control)
	mux.Handle("/ts2021", r.control)
	mux.Handle("/derp", tailnet.NewRelay(logger.Discard))
	t.Cleanup(func() { r.control.Set(false) })
	return r
}

// native starts a native peer.
func (r *rig) native(name string) *tailnet.Native {
	r.t.Helper()
	n, err := tailnet.StartNative(name, r.url, r.t.TempDir(), logger.Discard)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { n.Close() })
	return n
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

// start runs a node until the test ends or it is stopped.
func (r *rig) start() *device {
	r.t.Helper()
	d := &device{t: r.t, changed: make(chan struct{})}
	n, err := Start(Options{
		ControlURL: r.url,
		Hostname:   "test",
		Networks:   r.networks,
		Keys:       r.keys,
		OnState:    func(s State) { d.note(func() { d.latest = s }) },
		OnMark:     func(m Mark) { d.note(func() { d.marks = append(d.marks, m) }) },
		Logf:       logger.Discard,
	})
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

func (d *device) awaitMark(m Mark) {
	d.t.Helper()
	d.await(string(m), func(_ State, marks []Mark) bool { return slices.Contains(marks, m) })
}

func (d *device) awaitSaved() State {
	d.t.Helper()
	return d.await("a saved live netmap", func(s State, _ []Mark) bool { return s.Phase == Live && s.FullMaps > 0 && s.Saved })
}

// get fetches the page of a peer.
func (d *device) get(url string) (string, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	response, err := d.Fetch(ctx, url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// mustGet fetches the page of the native peer.
func (d *device) mustGet() {
	d.t.Helper()
	if page, err := d.get("http://web/"); err != nil || !strings.Contains(page, "Hello from web") {
		d.t.Fatalf("page of the native peer: %q, %v", page, err)
	}
}

// TestResume starts a node a second time while control is down, and then brings control back.
func TestResume(t *testing.T) {
	r := newRig(t)
	web, outsider := r.native("web"), r.native("outsider")
	first := r.start()
	nodeKey := first.awaitSaved().NodeKey
	first.mustGet()
	first.Stop()
	last := mustLoad(t, r.cache(r.url))
	r.control.Set(false)
	answered, _ := r.control.Requests()

	second := r.start()
	second.mustGet()
	if after, _ := r.control.Requests(); after != answered {
		t.Errorf("control answered %d requests; want none", after-answered)
	}
	second.awaitMark(PeerAnswered)
	for _, m := range []Mark{Started, Restored, EngineUp} {
		second.awaitMark(m)
	}
	nm := second.Netmap()
	if !nm.Cached || second.latest.NodeKey != nodeKey {
		t.Errorf("resumed: cached %v, node key %v; want cached and %v", nm.Cached, second.latest.NodeKey, nodeKey)
	}

	// The cached packet filter lets one native peer in, and not the other.
	to := netip.AddrPortFrom(nm.SelfNode.Addresses().At(0).Addr(), 80)
	for native, want := range map[*tailnet.Native]string{web: tailnet.Accepted, outsider: tailnet.Dropped} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if got, err := native.Dial(ctx, to); err != nil || got != want {
			t.Errorf("connection attempt to %v: %s, %v; want %s", to, got, err, want)
		}
		cancel()
	}

	r.control.Set(true)
	second.Retry()
	second.awaitMark(ControlLive)
	if s := second.awaitSaved(); s.NodeKey != nodeKey {
		t.Errorf("live again with node key %v; want %v", s.NodeKey, nodeKey)
	}
	if got, want := second.Netmap().SelfNode.StableID(), last.SelfNode.StableID(); got != want {
		t.Errorf("back as node %v, was %v", got, want)
	}
	for _, kind := range []tailnet.Kind{tailnet.PeerTags, tailnet.PeerOnline, tailnet.UserRenamed, tailnet.PeerAppears} {
		before := second.latest.Deltas
		if !r.network.Change(kind) {
			t.Fatalf("%s: nothing to change", kind)
		}
		second.await(string(kind), func(s State, _ []Mark) bool { return s.Deltas > before && s.Saved })
	}
	running := second.Netmap()
	second.Stop()
	kept := mustLoad(t, r.cache(r.url))
	if len(kept.Peers) != len(running.Peers) {
		t.Errorf("%d peers are kept; want %d", len(kept.Peers), len(running.Peers))
	}
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
	if _, err := d.get("http://web/"); !errors.Is(err, errNeedsLogin) {
		t.Errorf("fetch: %v; want %v", err, errNeedsLogin)
	}
	r.control.Set(true)
	d.Retry()
	d.awaitSaved()
}
