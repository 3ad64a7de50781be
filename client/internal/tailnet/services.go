package tailnet

import (
	"fmt"
	"io"
	"net"
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
}

// pattern is what port 19 sends again and again: byte i is i modulo 251, so that a chunk that is lost or twice there shows.
var pattern = func() (p [251 * 256]byte) {
	for i := range p {
		p[i] = byte(i % 251)
	}
	return p
}()

// serveServices serves them until the peer is closed.
func (n *Native) serveServices() error {
	for port, serve := range services {
		ln, err := n.server.Listen("tcp", fmt.Sprintf(":%d", port))
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
