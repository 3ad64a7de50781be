package ipncache

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/tailcfg"
)

// TestBurst makes many changes while the store is stuck in a commit. The backend must go on, and
// the store must get the changes in a few commits.
func TestBurst(t *testing.T) {
	r := newRig(t)
	d, last := r.startSaved()

	stuck, release := make(chan struct{}), make(chan struct{})
	var commits atomic.Int32
	r.networks.Before = func(op, key string) error {
		if op == "Commit" && commits.Add(1) == 1 {
			close(stuck)
			<-release
		}
		return nil
	}
	r.network.Change(tailnet.PeerTags)
	<-stuck
	const changes = 100
	kinds := []tailnet.Kind{tailnet.PeerTags, tailnet.PeerLeaves, tailnet.PeerOnline, tailnet.PeerAppears, tailnet.UserRenamed}
	for i := range changes {
		r.network.Change(kinds[i%len(kinds)])
	}
	r.network.Change(tailnet.DNSChanged) // comes as a full netmap, hence after all deltas
	d.await("the backend to go on", func() bool {
		return netmaptest.Diff(d.NetMapNoPeers().DNS, last.DNS) != ""
	})
	if n := commits.Load(); n != 1 {
		t.Errorf("%d commits at once", n)
	}
	close(release)
	d.awaitSaved(last)
	delete(d.last, Saved)
	d.await("to be told that all is saved", func() bool { return d.told(Saved) })
	if n := commits.Load(); n > changes/4 {
		t.Errorf("%d commits for %d changes", n, changes)
	}
}

// TestSaveFails: the store is broken, or the netmap can't be saved, while there are many changes. The error must be reported once,
// and attempts must be rare. After a repair the netmap is saved.
func TestSaveFails(t *testing.T) {
	broken := errors.New("the store is broken")
	for _, test := range []struct {
		name   string
		broken error // of the store
		user   tailcfg.UserID
	}{
		{name: "store", broken: broken, user: 1},
		{name: "netmap without a user"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			if test.user == 0 {
				self := r.base.SelfNode.AsStruct()
				self.User = 0
				r.base.SelfNode = self.View()
				r.newNetwork(tailcfg.NodeCapMap{tailcfg.NodeAttrCacheNetworkMaps: nil})
			}
			var fails atomic.Bool
			fails.Store(test.broken != nil)
			var commits atomic.Int32
			r.networks.Before = func(op, key string) error {
				if op == "Commit" {
					commits.Add(1)
					if fails.Load() {
						return broken
					}
				}
				return nil
			}
			var told, again atomic.Int32
			r.onEvent = func(_ *ipnlocal.LocalBackend, e Event, err error) {
				switch {
				case e == Saving && told.Load() > 0:
					again.Add(1)
				case e == Saved && err != nil:
					told.Add(1)
				}
			}
			d := r.start()
			d.login()
			d.change(50)
			d.await("another attempt", func() bool {
				return again.Load() > 0 && (test.broken == nil || commits.Load() > 1)
			})
			d.settle()
			if n := commits.Load(); told.Load() != 1 || n > 20 {
				t.Errorf("after 50 changes %d commits were tried, and it was told %d times that this failed", n, told.Load())
			}
			fails.Store(false)
			if test.broken != nil {
				d.awaitSaved(nil)
			}
		})
	}
}

// TestLastChange takes control away just after it has made a change that the backend doesn't announce. The change must be
// saved, whether or not the backend is shut down.
func TestLastChange(t *testing.T) {
	for _, shutdown := range []bool{true, false} {
		t.Run(fmt.Sprintf("shutdown=%v", shutdown), func(t *testing.T) {
			r := newRig(t)
			r.looks = make(chan time.Time)
			d, _ := r.startSaved()
			d.forceHome() // otherwise magicsock finds a home some seconds later, and everything is saved
			r.looks <- time.Now()
			d.settle()
			for _, kind := range []tailnet.Kind{tailnet.FilterChanged, tailnet.PeerEndpoints, tailnet.PeerRelay} {
				before := d.NetMapWithPeers()
				r.network.Change(kind)
				d.awaitUntold(func() bool { return netmaptest.Diff(d.NetMapWithPeers(), before) != "" })
			}
			r.control.Set(false)
			d.awaitUntold(func() bool { return !d.HealthTracker().GetInPollNetMap() })
			if shutdown {
				d.stop()
			} else {
				r.looks <- time.Now()
			}
			d.awaitUntold(func() bool { return d.diff(r.cached()) == "" })
		})
	}
}

// TestShutdown checks that what is pending is saved, and no goroutine is left.
func TestShutdown(t *testing.T) {
	r := newRig(t)
	d, _ := r.startSaved()
	e, ok := ipnlocal.GetExt[*extension](d.LocalBackend)
	if !ok {
		t.Fatal("the backend has no such extension")
	}
	commits := make(chan struct{})
	r.networks.Before = func(op, key string) error {
		if op == "Commit" {
			<-commits // until the shutdown has begun
		}
		return nil
	}
	r.network.Change(tailnet.PeerTags)
	r.network.Change(tailnet.FilterChanged)
	r.network.Change(tailnet.DNSChanged)
	before := d.NetMapNoPeers()
	d.await("the backend to have the changes", func() bool { return d.NetMapNoPeers() != before })
	go func() {
		<-e.ctx.Done()
		close(commits)
	}()
	want := d.NetMapWithPeers()
	d.stop()
	select {
	case <-e.done:
	default:
		t.Error("the goroutine is still there")
	}
	got := r.cached()
	got.Cached = false
	self := want.SelfNode.AsStruct()
	self.HomeDERP = got.SelfNode.HomeDERP()
	want.SelfNode = self.View()
	if diff := netmaptest.Diff(got, want); diff != "" {
		t.Errorf("after the shutdown the cache differs from what the backend had:\n%s", diff)
	}
}

// TestControlFaster installs the cached netmap just after control's netmap has come. The
// backend must end up with control's.
func TestControlFaster(t *testing.T) {
	r := newRig(t)
	d, cached := r.startSaved()
	d.stop()
	r.networks = memstore.New()
	d = r.start()
	d.await("a netmap", d.live)
	e, _ := ipnlocal.GetExt[*extension](d.LocalBackend)
	l := e.noted().login
	if l.control == nil {
		t.Fatal("there is no control client to install a netmap for")
	}
	newWorker(e).install(l, cached)
	if e.noted().login == l {
		t.Error("the backend was not restarted") // control sends a netmap some seconds later anyway, but needn't
	}
	d.await("control's netmap", func() bool { return d.live() && d.State() >= ipn.Starting })
}

// TestControlAnswersWhileLoading: control's first answer has come, and not yet the netmap in it, when the cached one is installed. The
// backend must not take control for lost: nothing would tell it otherwise before control says more, which may take a minute.
func TestControlAnswersWhileLoading(t *testing.T) {
	r := newRig(t)
	d, _ := r.startSaved()
	d.forceHome()
	d.stop()
	r.control.Set(false)
	stuck, release := stick(r.networks)
	defer release()
	d = r.start()
	<-stuck
	d.HealthTracker().GotStreamedMapResponse() // the control client's first step with an answer
	release()
	if err := d.awaitEvent(Restored); err != nil {
		t.Fatal(err)
	}
	if !d.HealthTracker().GetInPollNetMap() {
		t.Error("control is followed, and isn't taken to be")
	}
}

// TestHomeDERP checks that the home relay is saved, and used again offline.
func TestHomeDERP(t *testing.T) {
	r := newRig(t)
	d, _ := r.startSaved()
	home := d.forceHome()
	d.stop()
	r.control.Set(false)
	d = r.start()
	if err := d.awaitEvent(Restored); err != nil {
		t.Fatal(err)
	}
	if got := <-d.homes; got != home {
		t.Errorf("the home relay is %d after restoring; want %d", got, home)
	}
}
