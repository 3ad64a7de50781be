package ipncache

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/control/controlclient"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnlocal"
)

// TestBurst makes many changes while the store is stuck in a commit: the backend must go on, and
// the store be given what is new in a few commits.
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
	if n := commits.Load(); n > changes/4 {
		t.Errorf("%d commits for %d changes", n, changes)
	}
}

// TestSaveFails checks that an error is reported, and the save tried again.
func TestSaveFails(t *testing.T) {
	r := newRig(t)
	d, last := r.startSaved()
	broken := errors.New("the store is broken")
	var fails atomic.Bool
	fails.Store(true)
	r.networks.Before = func(op, key string) error {
		if fails.Load() && op == "Commit" {
			return broken
		}
		return nil
	}
	r.network.Change(tailnet.PeerTags)
	for err := error(nil); !errors.Is(err, broken); {
		err = d.awaitEvent(Saved)
	}
	fails.Store(false)
	d.awaitSaved(last)
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

// TestControlFaster installs the cached netmap just after control's own has come. The
// backend must end up with control's.
func TestControlFaster(t *testing.T) {
	r := newRig(t)
	d, _ := r.startSaved()
	e, _ := ipnlocal.GetExt[*extension](d.LocalBackend)
	cc, _ := controls.Load(d.LocalBackend)
	e.install(nil, cc.(controlclient.Client), r.cached())
	d.await("control's netmap", func() bool { return d.live() && d.State() >= ipn.Starting })
}

// TestHomeDERP checks that the home relay is saved, and taken up again offline.
func TestHomeDERP(t *testing.T) {
	r := newRig(t)
	d, _ := r.startSaved()
	const home = 2
	d.DebugForcePreferDERP(home)
	d.MagicConn().ForceSetNearestDERP(home)
	d.await("the home relay to be saved", func() bool { return r.cached().SelfNode.HomeDERP() == home })
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
