package tailnet

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync"
)

// Switch is a handler that can be taken down and up again, as a control plane that
// can't be reached. While it is down requests are answered with 503 Service Unavailable;
// taking it down cuts all connections that were made through it, upgraded
// ones too. It is up at first and safe for concurrent use.
type Switch struct {
	mu      sync.Mutex
	handler http.Handler
	down    bool
	// How many requests were handed on, and how many were answered that the plane is down.
	answered, refused int64

	cut   chan struct{} // closed when the switch goes down
	conns map[net.Conn]struct{}
}

// NewSwitch returns a switch in front of handler.
func NewSwitch(handler http.Handler) *Switch {
	return &Switch{handler: handler, cut: make(chan struct{}), conns: map[net.Conn]struct{}{}}
}

// Up reports whether the switch is up.
func (s *Switch) Up() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.down
}

// Requests returns how many requests have reached the handler so far, and how many were refused.
func (s *Switch) Requests() (answered, refused int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered, s.refused
}

// Replace puts another handler in the place of the one behind the switch. Requests that are being answered go on.
func (s *Switch) Replace(handler http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler
}

// Set takes the switch up or down. On return of a Set(false) all connections are cut.
func (s *Switch) Set(up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if up == !s.down {
		return
	}
	s.down = !up
	if up {
		s.cut = make(chan struct{})
		return
	}
	close(s.cut)
	for c := range s.conns {
		c.Close()
	}
	clear(s.conns)
}

func (s *Switch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	handler, down, cut := s.handler, s.down, s.cut
	if down {
		s.refused++
	} else {
		s.answered++
	}
	s.mu.Unlock()
	if down {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "the control plane is down", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		select {
		case <-cut:
			cancel()
		case <-ctx.Done():
		}
	}()
	handler.ServeHTTP(&switchWriter{w, s}, r.WithContext(ctx))
}

// switchWriter notes the connections that handlers take over.
type switchWriter struct {
	http.ResponseWriter
	s *Switch
}

func (w *switchWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *switchWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.s.down {
		conn.Close()
	} else {
		w.s.conns[conn] = struct{}{}
	}
	return &switchConn{conn, w.s}, rw, nil
}

// switchConn is a connection that the switch forgets when it is closed.
type switchConn struct {
	net.Conn
	s *Switch
}

func (c *switchConn) Close() error {
	c.s.mu.Lock()
	delete(c.s.conns, c.Conn)
	c.s.mu.Unlock()
	return c.Conn.Close()
}
