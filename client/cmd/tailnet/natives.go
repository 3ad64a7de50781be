package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"tailscale.com/types/logger"
)

// nativePeers are the peers of the embedded tailnet that are more than entries in a network map. Browsers accept
// connections, to port 80, from the trusted alone.
var nativePeers = []struct {
	name    string
	trusted bool
}{
	{"web", true},
	{"outsider", false},
}

func isNative(name string) bool {
	for _, p := range nativePeers {
		if p.name == name {
			return true
		}
	}
	return false
}

// natives are the native peers that run, by name.
type natives struct {
	mu         sync.Mutex
	dir        string
	running    map[string]*tailnet.Native
	controlURL string
	page       []byte
	logf       logger.Logf
}

// start starts all native peers, which serve page, or a greeting if that is nil.
func (n *natives) start(controlURL string, page []byte, logf logger.Logf) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var err error
	if n.dir, err = os.MkdirTemp("", "netmapcache-tailnet-"); err != nil {
		return err
	}
	n.running = map[string]*tailnet.Native{}
	n.controlURL, n.page, n.logf = controlURL, page, logf
	for _, p := range nativePeers {
		if err := n.startLocked(p.name); err != nil {
			return err
		}
	}
	return nil
}

// startLocked starts one of them, which is the same device each time.
func (n *natives) startLocked(name string) error {
	peer, err := tailnet.StartNative(name, n.controlURL, filepath.Join(n.dir, name), n.page, n.logf)
	if err == nil {
		n.running[name] = peer
	}
	return err
}

// up waits until all of them can be reached.
func (n *natives) up(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, peer := range n.running {
		if err := peer.Up(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close ends them, and removes their files.
func (n *natives) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	var ending sync.WaitGroup
	for _, peer := range n.running {
		ending.Go(func() { peer.Close() })
	}
	ending.Wait()
	os.RemoveAll(n.dir)
}

// dialRequest asks for an attempt of a native peer to connect to a node.
type dialRequest struct {
	From string         `json:"from"`
	To   netip.AddrPort `json:"to"`
}

// dialTimeout is how long a connection attempt waits for an answer.
const dialTimeout = 10 * time.Second

// serveDial has a native peer connect to a node, and tells what became of that.
func (n *natives) serveDial(w http.ResponseWriter, r *http.Request) {
	var want dialRequest
	if !readJSON(w, r, &want, func() error {
		if !want.To.IsValid() {
			return errors.New("to must be an address and a port")
		}
		return nil
	}) {
		return
	}
	n.mu.Lock()
	peer := n.running[want.From]
	n.mu.Unlock()
	if peer == nil {
		http.Error(w, "there is no such native peer", http.StatusNotFound)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), dialTimeout)
	defer cancel()
	outcome, err := peer.Dial(ctx, want.To)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"outcome": outcome})
}

// peerRequest asks for a native peer to be ended, or started again.
type peerRequest struct {
	Name string `json:"name"`
	Up   *bool  `json:"up"`
}

// serveSwitch ends a native peer or starts it again.
func (n *natives) serveSwitch(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var want peerRequest
	if !readJSON(w, r, &want, func() error {
		if want.Up == nil || !isNative(want.Name) {
			return errors.New(`the body must be like {"name": "web", "up": false}`)
		}
		return nil
	}) {
		return
	}
	peer := n.running[want.Name]
	var err error
	switch {
	case *want.Up && peer == nil:
		err = n.startLocked(want.Name)
	case !*want.Up && peer != nil:
		delete(n.running, want.Name)
		err = peer.Close()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	n.writeTraffic(w)
}

// serveTraffic tells what passes between the services of each native peer that runs, and others.
func (n *natives) serveTraffic(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.writeTraffic(w)
}

func (n *natives) writeTraffic(w http.ResponseWriter) {
	all := map[string]tailnet.Traffic{}
	for name, peer := range n.running {
		all[name] = peer.Traffic()
	}
	writeJSON(w, all)
}
