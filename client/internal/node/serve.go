package node

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"tailscale.com/tailcfg"
)

// A node answers on webPort, and refuses connections to all other ports. Who gets as far as that is up to the packet filter.
const (
	webPort      = 80
	serveTimeout = 10 * time.Second
)

// What a peer can make a node hold: so many bytes of a request, and so many connections, alone and with all others.
const (
	maxRequest      = 16 << 10
	maxConns        = 64
	maxConnsPerPeer = 8
)

// web answers the requests of peers.
type web struct {
	greeting string
	peerAt   func(netip.Addr) tailcfg.NodeID // 0 if it isn't known

	mu    sync.Mutex
	conns int
	of    map[tailcfg.NodeID]int // those of each peer that has any
}

func newWeb(greeting string, peerAt func(netip.Addr) tailcfg.NodeID) *web {
	return &web{greeting: greeting, peerAt: peerAt, of: map[tailcfg.NodeID]int{}}
}

// accept returns what becomes of a connection that a peer asks for.
func (w *web) accept(from, to netip.AddrPort) (handler func(net.Conn), intercept bool) {
	peer := w.peerAt(from.Addr())
	if to.Port() != webPort || w.full(peer) {
		return nil, true
	}
	return func(conn net.Conn) {
		defer conn.Close()
		// Not before: of a connection that isn't made in the end, nobody tells.
		if w.enter(peer) {
			defer w.leave(peer)
			w.serve(conn)
		}
	}, true
}

// full reports whether a peer may have no more connections.
func (w *web) full(peer tailcfg.NodeID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fullLocked(peer)
}

func (w *web) fullLocked(peer tailcfg.NodeID) bool {
	return w.conns >= maxConns || w.of[peer] >= maxConnsPerPeer
}

func (w *web) enter(peer tailcfg.NodeID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fullLocked(peer) {
		return false
	}
	w.conns++
	w.of[peer]++
	return true
}

func (w *web) leave(peer tailcfg.NodeID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns--
	if w.of[peer]--; w.of[peer] == 0 {
		delete(w.of, peer)
	}
}

// serve answers one request with the greeting.
func (w *web) serve(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(serveTimeout))
	if _, err := http.ReadRequest(bufio.NewReader(io.LimitReader(conn, maxRequest))); err != nil {
		return
	}
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(w.greeting), w.greeting)
}
