package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tailscale.com/tailcfg"
)

// TestRefused takes control down and restarts a node that must not do what it did before.
func TestRefused(t *testing.T) {
	enabled(t)
	ours, upstream := buildBoth(t)

	t.Run("a peer that the cached packet filter forbids", func(t *testing.T) {
		n := newTailnet(t)
		friend, stranger := n.addPeer("friend"), n.addPeer("stranger")
		d := newDevice(t, n, ours)
		p := d.start()
		p.awaitUp()
		friend.get(t, d)
		stranger.get(t, d)
		n.sendDelta(d.key, &tailcfg.MapResponse{PacketFilter: []tailcfg.FilterRule{{
			SrcIPs:   []string{friend.ip.String()},
			DstPorts: []tailcfg.NetPortRange{{IP: "*", Ports: tailcfg.PortRangeAny}},
		}}})
		for body, err := stranger.tryGet(t, d); err == nil; body, err = stranger.tryGet(t, d) {
			t.Logf("before the filter has come, the stranger gets %q", body)
		}
		n.cut()
		p.close()

		p = d.start()
		p.awaitUp()
		p.get(friend) // what the device begins is allowed, and makes the peers' WireGuard forget the process before
		p.get(stranger)
		friend.get(t, d)
		if body, err := stranger.tryGet(t, d); err == nil {
			t.Errorf("the stranger was served %q", body)
		}
		p.close()
	})

	t.Run("the netmap of another node", func(t *testing.T) {
		n := newTailnet(t)
		friend := n.addPeer("friend")
		var devices [2]*device
		for i := range devices {
			devices[i] = newDevice(t, n, ours)
			devices[i].startAndGet(friend).close()
		}
		n.cut()
		kept := [2]string{cacheDir(t, devices[0]), cacheDir(t, devices[1])}
		if err := os.RemoveAll(kept[1]); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(kept[1], os.DirFS(kept[0])); err != nil {
			t.Fatal(err)
		}
		p := devices[1].start()
		if restored := p.awaitEvent("restored"); restored.Error == "" {
			t.Error("the netmap of another node was restored")
		}
		if got := p.ask("netmap", "netmap").Value; got != "none" {
			t.Errorf("netmap %s; want none", got)
		}
		if got := p.ask("get "+friend.url(), "got"); got.Error == "" {
			t.Errorf("fetched %q", got.Value)
		}
		p.close()
	})

	for _, b := range []build{ours, upstream} {
		t.Run("an expired node key, "+b.name, func(t *testing.T) {
			n := newTailnet(t)
			friend := n.addPeer("friend")
			d := newDevice(t, n, b)
			p := d.startAndGet(friend)
			n.control.SetExpireAllNodes(true)
			p.await("the end of the key", func(l line) bool { return l.Event == "state" && l.Value == "NeedsLogin" })
			n.cut()
			p.close()

			p = d.start()
			p.await("the need to log in", func(l line) bool { return l.Event == "state" && l.Value == "NeedsLogin" })
			if got := p.ask("get "+friend.url(), "got"); got.Error == "" {
				t.Errorf("fetched %q with an expired key", got.Value)
			}
			for _, state := range p.values("state") {
				if state == "Running" {
					t.Errorf("states %v", p.values("state"))
				}
			}
			p.close()
		})
	}
}

// cacheDir returns the directory of a device's one netmap.
func cacheDir(t *testing.T, d *device) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(d.dir, "profile-data", "*", "netmap-cache"))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d directories with a netmap", len(found))
	}
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}
