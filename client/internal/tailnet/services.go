package tailnet

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
)

// services are what a native peer offers beside its page, by port: what is needed to try connections.
var services = map[int]func(net.Conn){
	7: func(c net.Conn) { io.Copy(c, c) },          // echo, RFC 862
	9: func(c net.Conn) { io.Copy(io.Discard, c) }, // discard, RFC 863
	19: func(c net.Conn) { // a pattern without end, as of RFC 864
		for err := error(nil); err == nil; {
			_, err = c.Write(pattern[:])
		}
	},
	// These have no RFC.
	20: func(c net.Conn) { fmt.Fprint(c, check(c)) },                                                  // tells, at the end, how much of the pattern came
	21: func(c net.Conn) { c.(interface{ CloseWrite() error }).CloseWrite(); io.Copy(io.Discard, c) }, // ends its own half at once
	22: func(c net.Conn) { c.Read(make([]byte, 1)) },                                                  // takes a byte: what comes besides, unread, resets the connection
}

// pattern is what port 19 sends again and again: byte i is i modulo 251, so that a chunk that is lost or twice there shows.
var pattern = func() (p [251 * 256]byte) {
	for i := range p {
		p[i] = byte(i % 251)
	}
	return p
}()

// A patternReader reads the pattern without end.
type patternReader struct{ at int }

func (r *patternReader) Read(p []byte) (int, error) {
	n := copy(p, pattern[r.at:])
	r.at = (r.at + n) % len(pattern)
	return n, nil
}

// check reads all, and tells how many bytes there were, or the first that isn't the pattern's.
func check(r io.Reader) string {
	buf := make([]byte, 64<<10)
	for at := 0; ; {
		n, err := r.Read(buf)
		for i, b := range buf[:n] {
			if b != byte((at+i)%251) {
				return fmt.Sprintf("byte %d is wrong", at+i)
			}
		}
		at += n
		if err == io.EOF {
			return fmt.Sprint(at)
		}
		if err != nil {
			return err.Error()
		}
	}
}

// Traffic is what passes between the services of a native peer, its page included, and others.
type Traffic struct {
	Conns    int64 `json:"conns"` // those open
	Sent     int64 `json:"sent"`  // bytes, of which the network stack may hold some
	Received int64 `json:"received"`
}

// traffic counts it.
type traffic struct{ conns, sent, received atomic.Int64 }

// Traffic tells it as it is.
func (n *Native) Traffic() Traffic {
	return Traffic{n.traffic.conns.Load(), n.traffic.sent.Load(), n.traffic.received.Load()}
}

// listen listens on a port, and counts what passes.
func (n *Native) listen(port int) (net.Listener, error) {
	ln, err := n.server.Listen("tcp", fmt.Sprintf(":%d", port))
	return &countedListener{ln, &n.traffic}, err
}

type countedListener struct {
	net.Listener
	traffic *traffic
}

func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.traffic.conns.Add(1)
	return &countedConn{Conn: conn, traffic: l.traffic}, nil
}

type countedConn struct {
	net.Conn
	traffic *traffic
	closed  atomic.Bool
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.traffic.received.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.traffic.sent.Add(int64(n))
	return n, err
}

func (c *countedConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

func (c *countedConn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.traffic.conns.Add(-1)
	}
	return c.Conn.Close()
}

// serveServices serves them until the peer is closed.
func (n *Native) serveServices() error {
	for port, serve := range services {
		ln, err := n.listen(port)
		if err != nil {
			return err
		}
		go func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				go func() {
					defer conn.Close()
					serve(conn)
				}()
			}
		}()
	}
	return nil
}
