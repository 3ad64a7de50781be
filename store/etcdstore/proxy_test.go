package etcdstore_test

import (
	"net"
	"sync"
	"testing"
)

// A proxy is a network between clients and a server that can fail.
type proxy struct {
	address string
	server  string

	mu       sync.Mutex
	conns    []net.Conn
	hangs    *sync.Cond // while hanging, nothing passes
	hanging  bool
	cutAfter int  // bytes from clients until all connections are cut; 0 for never
	reply    bool // they are cut when the server then answers
	cutting  bool // at its next answer
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), server: server}
	p.hangs = sync.NewCond(&p.mu)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", p.server)
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, server)
			p.mu.Unlock()
			wg.Go(func() { p.copy(server, client, true) })
			wg.Go(func() { p.copy(client, server, false) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.hang(false)
		p.cut()
		wg.Wait()
	})
	return p
}

// copy passes on what comes from one side, in small pieces.
func (p *proxy) copy(to, from net.Conn, fromClient bool) {
	defer to.Close()
	defer from.Close()
	piece := make([]byte, 4<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 && !p.pass(n, fromClient) {
			return
		}
		if _, werr := to.Write(piece[:n]); err != nil || werr != nil {
			return
		}
	}
}

// pass waits while the network hangs, and reports whether the connection is still there.
func (p *proxy) pass(n int, fromClient bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.hanging {
		p.hangs.Wait()
	}
	switch {
	case fromClient && p.cutAfter > 0:
		if p.cutAfter -= n; p.cutAfter > 0 {
			return true
		}
		p.cutAfter = 0
		if p.reply {
			p.cutting = true
			return true
		}
	case !fromClient && p.cutting:
	default:
		return true
	}
	p.cutting = false
	p.cutLocked()
	return false
}

func (p *proxy) hang(hanging bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hanging = hanging
	p.hangs.Broadcast()
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutLocked()
}

func (p *proxy) cutLocked() {
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// cutIn ends all connections once clients have sent n more bytes, before the server gets the last of them, or, if
// reply, before clients get what it answers.
func (p *proxy) cutIn(n int, reply bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAfter, p.reply, p.cutting = n, reply, false
}
