package ipncache

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/loopback"
	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/control/controlclient"
	"tailscale.com/envknob"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnext"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/ipn/store/mem"
	"tailscale.com/tailcfg"
	"tailscale.com/tsd"
	"tailscale.com/types/logger"
	"tailscale.com/types/logid"
	"tailscale.com/types/netmap"
	"tailscale.com/util/eventbus"
	"tailscale.com/wgengine"
	"tailscale.com/wgengine/magicsock"
)

// patience is how long a test waits for something that happens within seconds.
const patience = time.Minute

// devices are the devices under test, by their systems. Unlike with Register, their options may differ.
var devices sync.Map // *tsd.System -> *device

func TestMain(m *testing.M) {
	envknob.SetNoLogsNoSupport()
	ipnext.RegisterExtension(name, func(logf logger.Logf, b ipnext.SafeBackend) (ipnext.Extension, error) {
		d, ok := devices.Load(b.Sys())
		if !ok {
			return nil, ipnext.SkipExtension
		}
		return d.(*device).newExtension(logf, b.(*ipnlocal.LocalBackend)), nil
	})
	ipnext.RegisterExtension("probe", func(logger.Logf, ipnext.SafeBackend) (ipnext.Extension, error) {
		return probe{}, nil
	})
	os.Exit(loopback.Main(m))
}

// A probe is an extension beside the one under test.
type probe struct{}

// panicking tells probes to panic when a netmap with another self node is installed.
var panicking atomic.Bool

func (probe) Name() string    { return "probe" }
func (probe) Shutdown() error { return nil }

func (probe) Init(h ipnext.Host) error {
	h.Hooks().OnSelfChange.Add(func(tailcfg.NodeView) {
		if panicking.Load() {
			panic("netmap of death")
		}
	})
	return nil
}

// A rig is a tailnet with its control plane behind a switch, and what a device keeps.
type rig struct {
	t       *testing.T
	base    *netmap.NetworkMap // what the network looks like
	network *tailnet.Network
	control *tailnet.Switch
	url     string

	opts     Options        // except Open and OnEvent
	looks    chan time.Time // if not nil, says when backends look at the netmap without a note; otherwise they look very often
	open     func(ipn.ProfileID) (store.Store, error)
	onEvent  func(*ipnlocal.LocalBackend, Event, error)
	keys     *mem.Store
	networks *memstore.Store
}

const peers = 40

// newRig returns a tailnet whose control asks devices to keep the netmap. Its relays are on ports
// of this machine on which nothing listens.
func newRig(t *testing.T) *rig {
	nm := netmaptest.Realistic(peers+10, 1)
	nm.DERPMap = &tailcfg.DERPMap{Regions: map[int]*tailcfg.DERPRegion{}}
	for id := 1; id <= 3; id++ {
		nm.DERPMap.Regions[id] = &tailcfg.DERPRegion{
			RegionID:   id,
			RegionCode: fmt.Sprint("relay", id),
			Nodes: []*tailcfg.DERPNode{{
				Name: fmt.Sprint(id), RegionID: id, HostName: "127.0.0.1", IPv4: "127.0.0.1", IPv6: "none",
				DERPPort: 1, STUNPort: -1, InsecureForTests: true,
			}},
		}
	}
	r := &rig{
		t:        t,
		base:     nm,
		opts:     Options{Delay: time.Millisecond, Interval: time.Millisecond},
		keys:     new(mem.Store),
		networks: memstore.New(),
	}
	r.open = func(ipn.ProfileID) (store.Store, error) { return r.networks, nil }
	r.control = tailnet.NewSwitch(nil)
	r.newNetwork(tailcfg.NodeCapMap{tailcfg.NodeAttrCacheNetworkMaps: nil})
	server := httptest.NewServer(r.control)
	t.Cleanup(server.Close)
	t.Cleanup(func() { r.control.Set(false) })
	r.url = server.URL
	return r
}

// newNetwork replaces the network by a new one in its first state, in which nodes have these capabilities.
func (r *rig) newNetwork(caps tailcfg.NodeCapMap) {
	self := r.base.SelfNode.AsStruct()
	self.CapMap = caps
	r.base.SelfNode = self.View()
	r.network = tailnet.New(r.base, peers, 1)
	r.control.Replace(tailnet.NewControl(r.network, logger.Discard))
}

// A device is a running backend.
type device struct {
	*ipnlocal.LocalBackend
	r      *rig
	events chan outcome
	last   map[Event]outcome // received from events
	homes  chan int          // regions that magicsock made its home
	engine *watchedEngine
	stop   func() // shuts it down, once
}

// An outcome is what OnEvent was called with.
type outcome struct {
	event Event
	err   error
}

// start runs a backend until the test, or stop, ends it.
func (r *rig) start() *device {
	r.t.Helper()
	d := &device{r: r, events: make(chan outcome, 10_000), last: map[Event]outcome{}, homes: make(chan int, 1000)}
	sys := tsd.NewSystem()
	bus := sys.Bus.Get().Client("test")
	eventbus.SubscribeFunc(bus, func(c magicsock.HomeDERPChanged) { d.homes <- c.New })
	devices.Store(sys, d)
	logf := logger.Discard
	if testing.Verbose() {
		logf = r.t.Logf
	}
	sys.Set(r.keys)
	engine, err := wgengine.NewFakeUserspaceEngine(logf, sys.Set, sys.HealthTracker.Get(), sys.UserMetricsRegistry(), sys.Bus.Get())
	if err != nil {
		r.t.Fatal(err)
	}
	d.engine = &watchedEngine{Engine: engine, tells: make(chan tailcfg.NodeID, 100)}
	eventbus.SubscribeFunc(bus, d.engine.tell)
	sys.Set(wgengine.Engine(d.engine))
	d.LocalBackend, err = ipnlocal.NewLocalBackend(logf, logid.PublicID{}, sys, controlclient.LoginDefault)
	if err != nil {
		r.t.Fatal(err)
	}
	d.stop = sync.OnceFunc(func() {
		d.Shutdown()
		engine.Close()
		sys.Bus.Get().Close()
		devices.Delete(sys)
	})
	r.t.Cleanup(d.stop)
	d.begin()
	return d
}

func (d *device) newExtension(logf logger.Logf, lb *ipnlocal.LocalBackend) *extension {
	opts := d.r.opts
	opts.OnEvent = func(lb *ipnlocal.LocalBackend, e Event, err error) {
		if d.r.onEvent != nil {
			d.r.onEvent(lb, e, err)
		}
		d.events <- outcome{e, err}
	}
	opts.Open = func(_ context.Context, _ *ipnlocal.LocalBackend, profile ipn.ProfileID) (store.Store, error) {
		return d.r.open(profile)
	}
	e := newExtension(logf, lb, opts)
	e.looks = d.r.looks
	if d.r.looks == nil {
		e.looks = time.Tick(20 * time.Millisecond)
	}
	return e
}

// begin starts the backend's current profile, and makes it want to run.
func (d *device) begin() {
	d.r.t.Helper()
	prefs := ipn.NewPrefs()
	prefs.ControlURL = d.r.url
	prefs.WantRunning = true
	if err := d.Start(ipn.Options{UpdatePrefs: prefs}); err != nil {
		d.r.t.Fatal(err)
	}
}

// change makes changes one after the other. It waits until the backend has each.
func (d *device) change(times int) {
	d.r.t.Helper()
	for range times {
		before := d.NetMapNoPeers()
		d.r.network.Change(tailnet.DNSChanged)
		d.await("a change", func() bool { return d.NetMapNoPeers() != before })
	}
}

// startSaved starts a backend, logs in, and returns it with the netmap that it then saves.
func (r *rig) startSaved() (*device, *netmap.NetworkMap) {
	r.t.Helper()
	d := r.start()
	d.login()
	return d, d.awaitSaved(nil)
}

// login registers the backend's node for the first time.
func (d *device) login() {
	d.r.t.Helper()
	if err := d.StartLoginInteractive(d.r.t.Context()); err != nil {
		d.r.t.Fatal(err)
	}
	d.await("a netmap", func() bool { return d.live() })
}

// live reports whether the backend has a netmap from control.
func (d *device) live() bool {
	nm := d.NetMapNoPeers()
	return nm != nil && !nm.Cached
}

// await waits until ok returns true. It calls ok again after each event and notification.
func (d *device) await(what string, ok func() bool) {
	d.r.t.Helper()
	ctx, cancel := context.WithTimeout(d.r.t.Context(), patience)
	defer cancel()
	again := make(chan struct{}, 1)
	go d.WatchNotifications(ctx, ipn.NotifyInitialState|ipn.NotifyPeerChanges, nil, func(*ipn.Notify) bool {
		select {
		case again <- struct{}{}:
		default:
		}
		return true
	})
	for !ok() {
		select {
		case <-again:
		case o := <-d.events:
			d.last[o.event] = o
		case <-ctx.Done():
			d.r.t.Fatalf("waiting for %s; the state is %v", what, d.State())
		}
	}
}

// forceHome makes another relay the device's home, and waits until control has heard of it, and it is saved.
func (d *device) forceHome() (home int) {
	d.r.t.Helper()
	home = d.r.base.SelfNode.HomeDERP()%3 + 1
	d.DebugForcePreferDERP(home)
	d.MagicConn().ForceSetNearestDERP(home)
	d.await("the home relay to be saved", func() bool {
		return d.live() && d.NetMapNoPeers().SelfNode.HomeDERP() == home && d.r.cached().SelfNode.HomeDERP() == home
	})
	return home
}

// settle waits until the extension has finished what it had begun.
func (d *device) settle() {
	e, _ := ipnlocal.GetExt[*extension](d.LocalBackend)
	for range 3 { // the second is noted when the first is begun with, the third when it is done
		e.wake <- struct{}{}
	}
}

// awaitUntold waits until ok returns true, for conditions that no event announces.
func (d *device) awaitUntold(ok func() bool) {
	d.r.t.Helper()
	for began := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			d.r.t.Fatal("waited in vain")
		}
	}
}

// awaitEvent returns the error of the first event of a kind from now on.
func (d *device) awaitEvent(e Event) error {
	d.r.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case o := <-d.events:
			if o.event == e {
				return o.err
			}
		case <-timeout:
			d.r.t.Fatalf("waiting for %s; the state is %v", e, d.State())
		}
	}
}

// told reports whether OnEvent was called, during earlier waits for the device, with the success of e.
func (d *device) told(e Event) bool {
	o, ok := d.last[e]
	return ok && o.err == nil
}

// cached returns the stored netmap, or nil.
func (r *rig) cached() *netmap.NetworkMap { return r.cachedIn(r.networks) }

func (r *rig) cachedIn(s store.Store) *netmap.NetworkMap {
	r.t.Helper()
	nm, err := netmapcache.NewCache(s).Load(r.t.Context())
	if err != nil && !errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		r.t.Fatal(err)
	}
	return nm
}

// diff compares the stored netmap with the backend's, except for this node's home relay, which the
// backend's netmap doesn't contain.
func (d *device) diff(stored *netmap.NetworkMap) string {
	want := d.NetMapWithPeers()
	self := want.SelfNode.AsStruct()
	self.HomeDERP = stored.SelfNode.HomeDERP()
	want.SelfNode = self.View()
	return netmaptest.Diff(stored, want, netmaptest.Ignore("netmap.NetworkMap.Cached"))
}

// awaitSaved waits until the stored netmap is the backend's, and differs from before.
func (d *device) awaitSaved(before *netmap.NetworkMap) *netmap.NetworkMap {
	d.r.t.Helper()
	var stored *netmap.NetworkMap
	d.await("the cache to hold what the backend has", func() bool {
		stored = d.r.cached()
		return stored != nil && d.diff(stored) == "" && netmaptest.Diff(stored, before) != ""
	})
	return stored
}
