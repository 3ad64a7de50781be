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

// natives are the native peers that run, by name.
type natives struct {
	mu      sync.Mutex
	dir     string
	running map[string]*tailnet.Native
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
	for _, p := range nativePeers {
		peer, err := tailnet.StartNative(p.name, controlURL, filepath.Join(n.dir, p.name), page, logf)
		if err != nil {
			return err
		}
		n.running[p.name] = peer
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
