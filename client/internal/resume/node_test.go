package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tailscale.com/types/key"
)

// A build is this program with one of the two caches.
type build struct {
	name string
	tags string
	path string
}

// built is the directory of the programs that were built; empty if none were.
var built string

// buildBoth builds the program with each cache, once. The first time that takes minutes.
func buildBoth(t *testing.T) (ours, upstream build) {
	t.Helper()
	ours = build{name: "ipncache", tags: "ts_omit_cachenetmap"}
	upstream = build{name: "upstream"}
	make := built == ""
	if make {
		var err error
		if built, err = os.MkdirTemp("", "resume"); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range []*build{&ours, &upstream} {
		b.path = filepath.Join(built, b.name)
		if !make {
			continue
		}
		began := time.Now()
		if out, err := exec.Command("go", "build", "-tags", b.tags, "-o", b.path, ".").CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", b.name, err, out)
		}
		t.Logf("built %s in %.0f s", b.name, time.Since(began).Seconds())
	}
	return ours, upstream
}

// device is what a node keeps.
type device struct {
	t       *testing.T
	tailnet *tailnet
	build   build
	dir     string
	key     key.NodePublic // zero until it was first up
}

func newDevice(t *testing.T, n *tailnet, b build) *device {
	return &device{t: t, tailnet: n, build: b, dir: t.TempDir()}
}

// process is a running node.
type process struct {
	*device
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan line
	seen  []line // all lines that were received from lines
}

// startAndGet starts the node in a new process, and has it fetch from a peer.
func (d *device) startAndGet(from *peer) *process {
	d.t.Helper()
	p := d.start()
	p.awaitUp()
	p.get(from)
	return p
}

// start starts the node in a new process.
func (d *device) start() *process {
	d.t.Helper()
	p := &process{device: d, lines: make(chan line, 1000)}
	p.cmd = exec.Command(d.build.path, "-dir", d.dir, "-control", d.tailnet.url(), "-hostname", "device")
	p.cmd.Stderr = os.Stderr
	p.cmd.Env = append(os.Environ(), "HOME="+d.t.TempDir(), "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=")
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		d.t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { p.cmd.Process.Kill() })
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			var l line
			if err := json.Unmarshal(s.Bytes(), &l); err != nil {
				d.t.Errorf("%s told %q: %v", d.build.name, s.Text(), err)
			}
			p.lines <- l
		}
	}()
	return p
}

// await returns the first line from now on that ok accepts.
func (p *process) await(what string, ok func(line) bool) line {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case l, more := <-p.lines:
			if !more {
				p.t.Fatalf("%s: ended before %s; it told %v", p.build.name, what, p.seen)
			}
			p.seen = append(p.seen, l)
			if ok(l) {
				return l
			}
		case <-timeout:
			p.t.Fatalf("%s: no %s; it told %v", p.build.name, what, p.seen)
		}
	}
}

func (p *process) awaitEvent(event string) line {
	p.t.Helper()
	return p.await(event, func(l line) bool { return l.Event == event })
}

// awaitUp waits until the node runs and serves, as the same node as ever.
func (p *process) awaitUp() {
	p.t.Helper()
	up := p.awaitEvent("up")
	if up.Error != "" {
		p.t.Fatal(up.Error)
	}
	var k key.NodePublic
	if err := k.UnmarshalText([]byte(up.Value)); err != nil {
		p.t.Fatal(err)
	}
	if !p.key.IsZero() && k != p.key {
		p.t.Errorf("%s: up with node key %v, had %v", p.build.name, k, p.key)
	}
	p.key = k
	if s := p.awaitEvent("serving"); s.Error != "" {
		p.t.Fatal(s.Error)
	}
}

// ask gives the node a command and returns what it answers.
func (p *process) ask(command, event string) line {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.stdin, command); err != nil {
		p.t.Fatal(err)
	}
	return p.awaitEvent(event)
}

// get fetches the peer's page.
func (p *process) get(from *peer) {
	p.t.Helper()
	if got := p.ask("get "+from.url(), "got"); got.Value != from.page() {
		p.t.Fatalf("%s: fetched %q from %s, error %q; it told %v", p.build.name, got.Value, from.name, got.Error, p.seen)
	}
}

// netmap returns whether the node's netmap comes from the cache, and the number of peers.
func (p *process) netmap() (cached bool, peers int) {
	p.t.Helper()
	answer := p.ask("netmap", "netmap").Value
	if _, err := fmt.Sscanf(answer, "cached=%t peers=%d", &cached, &peers); err != nil {
		p.t.Fatalf("%s: netmap %q", p.build.name, answer)
	}
	return cached, peers
}

// awaitLive waits until the node has a netmap from control.
func (p *process) awaitLive() {
	p.t.Helper()
	for cached, _ := p.netmap(); cached; cached, _ = p.netmap() {
		p.await("new netmap", func(l line) bool { return l.Event == "notify" && l.Value == "SelfChange" })
	}
}

// close shuts the node down in order.
func (p *process) close() {
	p.t.Helper()
	p.ask("close", "closed")
	if err := p.cmd.Wait(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// values returns the values of the lines of an event so far.
func (p *process) values(event string) (values []string) {
	for _, l := range p.seen {
		if l.Event == event {
			values = append(values, l.Value)
		}
	}
	return values
}
