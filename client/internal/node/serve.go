package node

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// A node answers on webPort, and refuses connections to all other ports. Who gets as far as that is up to the packet filter.
const (
	webPort      = 80
	serveTimeout = 10 * time.Second
)

// accept returns what becomes of a connection that a peer asks for.
func (n *Node) accept(_, to netip.AddrPort) (handler func(net.Conn), intercept bool) {
	if to.Port() == webPort {
		return n.serve, true
	}
	return nil, true
}

// serve answers one request with what the node calls itself.
func (n *Node) serve(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(serveTimeout))
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
		return
	}
	page := fmt.Sprintf("This is %s.\n", n.opts.Hostname)
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(page), page)
}
