package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/loopback"
	"tailscale.com/envknob"
	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// patience is how long a test waits for something that takes seconds at most.
const patience = 90 * time.Second

func TestMain(m *testing.M) {
	envknob.SetNoLogsNoSupport()
	// Through the relay only: a peer goes on answering a node on its old direct path for some seconds after that was restarted.
	os.Setenv("TS_DEBUG_NEVER_DIRECT_UDP", "true")
	code := loopback.Main(m)
	os.RemoveAll(built)
	os.Exit(code)
}

// enabled skips the test unless it is the turn of `make test-resume`.
func enabled(t *testing.T) {
	if os.Getenv("TEST_RESUME") == "" {
		t.Skip("TEST_RESUME is not set: make test-resume runs this, since it builds two programs")
	}
}

// TestResume takes a node through the loss of its control plane and a restart in a new process, with
// each of the two caches, and compares what happens.
func TestResume(t *testing.T) {
	enabled(t)
	ours, upstream := buildBoth(t)
	got, want := scenario(t, ours), scenario(t, upstream)
	for i, step := range got.steps {
		same := want.steps[i]
		t.Logf("%-7s states %v, upstream %v", step.name, step.states, same.states)
		t.Logf("%-7s notifications %v, upstream %v", step.name, step.notified, same.notified)
		if !slices.Equal(step.states, same.states) || !slices.Equal(step.notified, same.notified) {
			t.Errorf("%s: with upstream's cache something else happens", step.name)
		}
	}
	if t.Failed() {
		return
	}
	compareTimes(t, got, want)
}

// record is what a scenario left.
type record struct {
	device *device
	friend *peer
	steps  []step
}

// A step is one process of the scenario, until it was up and had fetched.
type step struct {
	name     string
	states   []string
	notified []string // kinds of notifications; several of a kind in a row count as one
}

func (r *record) note(name string, p *process) {
	r.steps = append(r.steps, step{name, p.values("state"), slices.Compact(p.values("notify"))})
}

func scenario(t *testing.T, b build) *record {
	n := newTailnet(t)
	friend := n.addPeer("friend")
	d := newDevice(t, n, b)
	r := &record{device: d, friend: friend}

	t.Logf("%s: online", b.name)
	p := d.start()
	p.awaitUp()
	p.get(friend)
	r.note("online", p)

	t.Logf("%s: control is cut off, the node restarted", b.name)
	n.cut()
	p.get(friend)
	p.close()
	p = d.start()
	p.awaitUp()
	if cached, peers := p.netmap(); !cached || peers != 1 {
		t.Errorf("%s: netmap cached=%v with %d peers; want it cached with one", b.name, cached, peers)
	}
	p.get(friend)
	friend.get(t, d)
	r.note("offline", p)

	t.Logf("%s: control is back", b.name)
	if n.reached() {
		t.Error("control was reached while it was cut off")
	}
	before := len(p.seen)
	n.connect()
	p.awaitLive()
	p.get(friend)
	p.seen = p.seen[before:]
	r.note("live", p)

	t.Logf("%s: a delta", b.name)
	another := &tailcfg.Node{
		ID: 1_000_001, StableID: "n1000001", Name: "another.example.com.", User: 1_000_001,
		Key: key.NewNode().Public(), DiscoKey: key.NewDisco().Public(), MachineAuthorized: true,
		Hostinfo: (&tailcfg.Hostinfo{Hostname: "another"}).View(),
	}
	n.sendDelta(d.key, &tailcfg.MapResponse{PeersChanged: []*tailcfg.Node{another}})
	for _, peers := p.netmap(); peers != 2; _, peers = p.netmap() {
		p.await("change of peers", func(l line) bool { return l.Event == "notify" && l.Value == "Peers" })
	}
	n.cut()
	p.close()
	p = d.start()
	p.awaitUp()
	if cached, peers := p.netmap(); !cached || peers != 2 {
		t.Errorf("%s: netmap cached=%v with %d peers after a delta; want it cached with two", b.name, cached, peers)
	}
	p.close()
	return r
}

// get fetches the device's page from the peer.
func (p *peer) get(t *testing.T, d *device) {
	t.Helper()
	if body, err := p.tryGet(t, d); body != "served by device" {
		t.Fatalf("%s fetched %q from the device, %v", p.name, body, err)
	}
}

func (p *peer) tryGet(t *testing.T, d *device) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), fetchTimeout)
	defer cancel()
	local, err := p.LocalClient()
	if err != nil {
		t.Fatal(err)
	}
	status, err := local.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	node, ok := status.Peer[d.key]
	if !ok {
		t.Fatalf("%s doesn't know the device", p.name)
	}
	return fetch(p.HTTPClient(), "http://"+node.TailscaleIPs[0].String()+"/")
}

// compareTimes starts both nodes in turn, with control cut off, and logs how long they take from the start of
// the process.
func compareTimes(t *testing.T, ours, upstream *record) {
	const runs = 10
	steps := []struct {
		name string
		is   func(line) bool
	}{
		{"started", func(l line) bool { return l.Event == "started" }},
		{"has the cached netmap", func(l line) bool { return l.Event == "state" && l.Value == ipn.Starting.String() }},
		{"up", func(l line) bool { return l.Event == "state" && l.Value == ipn.Running.String() }},
		{"first answer of a peer", func(l line) bool { return l.Event == "got" }},
	}
	nodes := []*record{ours, upstream}
	times := make([][2][]time.Duration, len(steps))
	for run := range runs {
		for k := range nodes {
			i := (run + k) % len(nodes)
			p := nodes[i].device.start()
			p.awaitUp()
			p.get(nodes[i].friend)
			for s, step := range steps {
				j := slices.IndexFunc(p.seen, step.is)
				if j < 0 {
					t.Fatalf("%s was never %q; it told %v", p.build.name, step.name, p.seen)
				}
				times[s][i] = append(times[s][i], p.seen[j].Since)
			}
			p.close()
		}
	}
	for s, step := range steps {
		t.Logf("offline, medians of %d: %s: %s ms; upstream %s ms", runs, step.name, median(times[s][0]), median(times[s][1]))
	}
}

// median returns the median in milliseconds, and half the distance between the least and the greatest.
func median(times []time.Duration) string {
	slices.Sort(times)
	n := len(times)
	middle := float64(times[(n-1)/2]+times[n/2]) / 2
	return fmt.Sprintf("%.0f ±%.0f%%", middle/1e6, float64(times[n-1]-times[0])/2/middle*100)
}

// TestFromUpstream has a node that ran with upstream's cache start with ours, while control is cut off: the files are taken over.
func TestFromUpstream(t *testing.T) {
	enabled(t)
	ours, upstream := buildBoth(t)
	n := newTailnet(t)
	friend := n.addPeer("friend")
	d := newDevice(t, n, upstream)
	d.startAndGet(friend).close()
	n.cut()
	d.build = ours
	p := d.startAndGet(friend)
	n.connect()
	p.awaitLive()
	p.close()
	dir := cacheDir(t, d)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name, err := hex.DecodeString(f.Name()); err == nil && strings.HasPrefix(string(name), "peer-") {
			t.Errorf("what upstream stored is still in %s: %s", dir, name)
		}
	}
}
