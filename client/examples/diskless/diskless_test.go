package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"tailscale.com/types/logger"
)

// patience is how long the test waits for something that takes seconds at most.
const patience = time.Minute

// TestDiskless: the service is killed while control is up, and started elsewhere while control is down. It is the same node
// then, and a peer reaches it at its old address.
func TestDiskless(t *testing.T) {
	tailnet.Confine()
	control, controlURL := startTailnet(t)
	friend, err := tailnet.StartNative("friend", controlURL, t.TempDir(), nil, logger.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { friend.Close() })
	program := filepath.Join(t.TempDir(), "diskless")
	if out, err := exec.Command("go", "build", "-tags", "ts_omit_cachenetmap", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	args := []string{"-etcd", startEtcd(t), "-control", controlURL, "-hostname", "service"}

	first := start(t, program, args)
	first.await("netmap saved <nil>")
	reach(t, friend)
	first.cmd.Process.Kill()
	first.cmd.Wait()

	control.Set(false)
	second := start(t, program, args)
	second.await("netmap restored <nil>")
	second.await("serving")
	reach(t, friend)
	if answered, _ := control.Requests(); answered == 0 {
		t.Error("control never answered")
	}
	if left, err := os.ReadDir(first.home); err != nil || len(left) > 0 {
		t.Errorf("left where it ran: %v, %v", left, err)
	}
}

// startTailnet starts a control server, behind a switch, and a relay.
func startTailnet(t *testing.T) (*tailnet.Switch, string) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	nm := netmaptest.Realistic(10, 1)
	tailnet.UseRelay(nm, netip.MustParseAddrPort(server.Listener.Addr().String()))
	network := tailnet.New(nm, 10, 1)
	network.AddNative("friend", true)
	network.AddNative("service", true)
	control := tailnet.NewSwitch(tailnet.NewControl(network, logger.Discard))
	mux.Handle("/key", control)
	mux.Handle("/ts2021", control)
	mux.Handle("/derp", tailnet.NewRelay(logger.Discard))
	t.Cleanup(func() { control.Set(false) })
	return control, server.URL
}

// startEtcd starts a server in this process, and returns its address.
func startEtcd(t *testing.T) string {
	cfg := embed.NewConfig()
	cfg.Dir = t.TempDir()
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	anyPort := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg.ListenClientUrls, cfg.ListenPeerUrls = anyPort, anyPort
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	select {
	case <-e.Server.ReadyNotify():
	case <-time.After(patience):
		t.Fatal("etcd doesn't get ready")
	}
	return e.Clients[0].Addr().String()
}

// process is a running service.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	home  string // all that it can write to
	lines chan string
}

func start(t *testing.T, program string, args []string) *process {
	t.Helper()
	p := &process{t: t, home: t.TempDir(), lines: make(chan string, 1000)}
	p.cmd = exec.Command(program, args...)
	p.cmd.Env = append(os.Environ(), "HOME="+p.home, "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "SEAL_KEY="+hex.EncodeToString(make([]byte, 32)))
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	return p
}

// await waits until the service has logged a line that ends with what.
func (p *process) await(what string) {
	p.t.Helper()
	var seen []string
	timeout := time.After(patience)
	for {
		select {
		case line, more := <-p.lines:
			if !more {
				p.t.Fatalf("ended before %q; it logged:\n%s", what, strings.Join(seen, "\n"))
			}
			if strings.HasSuffix(line, what) {
				return
			}
			seen = append(seen, line)
		case <-timeout:
			p.t.Fatalf("no %q; it logged:\n%s", what, strings.Join(seen, "\n"))
		}
	}
}

// reach has the peer fetch the service's page.
func reach(t *testing.T, friend *tailnet.Native) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	page, err := friend.Get(ctx, "http://100.127.255.2/")
	if err != nil || page != "served by service\n" {
		t.Fatalf("fetched %q, %v", page, err)
	}
}
