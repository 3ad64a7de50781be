package ipncache

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnauth"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/ipn/store/mem"
	"tailscale.com/tailcfg"
)

// TestRefused restarts a device offline after something about it has changed.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*rig)
		want   error
	}{
		{
			name: "another node key",
			change: func(r *rig) { // a second device of the same tailnet, on the first one's store
				keys := r.keys
				r.keys = new(mem.Store)
				d, _ := r.startSaved()
				d.stop()
				r.keys = keys
			},
			want: netmapcache.ErrWrongOwner,
		},
		{
			name: "another control server",
			change: func(r *rig) {
				server := httptest.NewServer(r.control)
				r.t.Cleanup(server.Close)
				r.url = server.URL
			},
			want: netmapcache.ErrWrongOwner,
		},
		{
			name:   "too old",
			change: func(r *rig) { r.opts.MaxAge = time.Nanosecond },
			want:   netmapcache.ErrExpired,
		},
		{
			name: "damage",
			change: func(r *rig) {
				for key, err := range r.networks.List(r.t.Context(), "peers-") {
					if err == nil {
						err = r.networks.Store(r.t.Context(), key, []byte("damaged"))
					}
					if err != nil {
						r.t.Fatal(err)
					}
				}
			},
			want: netmapcache.ErrCorrupt,
		},
		{
			name: "nothing cached",
			change: func(r *rig) {
				if err := netmapcache.NewCache(r.networks).Clear(r.t.Context()); err != nil {
					r.t.Fatal(err)
				}
			},
			want: netmapcache.ErrCacheNotAvailable,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			d, _ := r.startSaved()
			d.stop()
			test.change(r)
			r.control.Set(false)

			d = r.start()
			if err := d.awaitEvent(Restored); !errors.Is(err, test.want) {
				t.Errorf("restored: %v; want %v", err, test.want)
			}
			if nm := d.NetMapNoPeers(); nm != nil {
				t.Errorf("the backend has the netmap of %v", nm.NodeKey)
			}
			if s := d.State(); s != ipn.NoState {
				t.Errorf("state %v; want none", s)
			}
		})
	}
}

// TestAttribute checks when control's attributes keep or discard the netmap.
func TestAttribute(t *testing.T) {
	const keep, forbid = tailcfg.NodeAttrCacheNetworkMaps, tailcfg.NodeAttrDisableCacheNetworkMaps
	for _, test := range []struct {
		name   string
		caps   tailcfg.NodeCapMap
		always bool
		want   Event
	}{
		{name: "withdrawn", want: Discarded},
		{name: "withdrawn, but always", always: true, want: Saved},
		{name: "forbidden", caps: tailcfg.NodeCapMap{keep: nil, forbid: nil}, want: Discarded},
		{name: "forbidden, and always", caps: tailcfg.NodeCapMap{forbid: nil}, always: true, want: Discarded},
		{name: "as before", caps: tailcfg.NodeCapMap{keep: nil}, want: Saved},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			d, _ := r.startSaved()
			d.stop()

			r.opts.Always = test.always
			r.newNetwork(test.caps)
			d = r.start()
			d.await(string(test.want), func() bool {
				return d.live() && (r.cached() != nil) == (test.want == Saved) && d.told(test.want)
			})
		})
	}
}

// TestLogout removes the profile, and with it its netmap.
func TestLogout(t *testing.T) {
	r := newRig(t)
	d, _ := r.startSaved()
	if err := d.Logout(t.Context(), ipnauth.Self); err != nil {
		t.Fatal(err)
	}
	if err := d.awaitEvent(Discarded); err != nil {
		t.Fatal(err)
	}
	if r.cached() != nil {
		t.Error("the netmap is still there after a logout")
	}
}

// TestProfiles switches to a new profile and back, offline, and deletes the first.
func TestProfiles(t *testing.T) {
	r := newRig(t)
	d, last := r.startSaved()
	profile := d.CurrentProfile().ID()
	if err := d.NewProfile(); err != nil {
		t.Fatal(err)
	}
	r.control.Set(false)
	if d.NetMapNoPeers() != nil {
		t.Fatal("a new profile has a netmap")
	}
	if err := d.SwitchProfile(profile); err != nil {
		t.Fatal(err)
	}
	err := d.awaitEvent(Restored)
	for errors.Is(err, netmapcache.ErrWrongOwner) { // of an attempt for the new profile, in the same store
		err = d.awaitEvent(Restored)
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := d.diff(last); diff != "" {
		t.Errorf("the netmap after switching back differs from the last one saved:\n%s", diff)
	}
	if err := d.DeleteProfile(profile); err != nil {
		t.Fatal(err)
	}
	if err := d.awaitEvent(Discarded); err != nil {
		t.Fatal(err)
	}
	if r.cached() != nil {
		t.Error("the netmap of a deleted profile is still there")
	}
}

// TestPanic installs, in a process of its own, a netmap that makes the backend panic.
func TestPanic(t *testing.T) {
	const child = "NETMAPCACHE_TEST_PANIC"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPanic$")
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "panic: netmap of death") {
			t.Errorf("ended with %v and told\n%s", err, out)
		}
		if !strings.Contains(string(out), "discarded, nothing is cached") {
			t.Errorf("the netmap was not discarded:\n%s", out)
		}
		return
	}
	r := newRig(t)
	d, _ := r.startSaved()
	d.stop()
	r.control.Set(false)
	panicking.Store(true)
	r.onEvent = func(_ *ipnlocal.LocalBackend, e Event, err error) {
		if e == Discarded && err == nil && r.cached() == nil {
			os.Stdout.WriteString("discarded, nothing is cached\n")
		}
	}
	r.start()
	select {}
}
