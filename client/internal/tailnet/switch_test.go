package tailnet

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestSwitch takes over a connection, as a WebSocket does, and holds a plain
// request; taking the switch down must end both.
func TestSwitch(t *testing.T) {
	held := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/upgrade", func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		io.Copy(conn, buffered)
	})
	mux.HandleFunc("/held", func(w http.ResponseWriter, r *http.Request) {
		close(held)
		<-r.Context().Done()
	})
	mux.HandleFunc("/quick", func(w http.ResponseWriter, r *http.Request) {})
	s := NewSwitch(mux)
	server := httptest.NewServer(s)
	defer server.Close()

	get := func(path string) int {
		t.Helper()
		res, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if code := get("/quick"); code != http.StatusOK {
		t.Errorf("up at first: status %d", code)
	}

	upgraded, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer upgraded.Close()
	fmt.Fprint(upgraded, "GET /upgrade HTTP/1.1\r\nHost: test\r\n\r\nping")
	answer := bufio.NewReader(upgraded)
	if _, err := http.ReadResponse(answer, nil); err != nil {
		t.Fatal(err)
	}
	echo := make([]byte, 4)
	if _, err := io.ReadFull(answer, echo); err != nil || string(echo) != "ping" {
		t.Fatalf("through the connection: %q, %v", echo, err)
	}
	plain := make(chan error, 1)
	go func() {
		res, err := http.Get(server.URL + "/held")
		if err == nil {
			res.Body.Close()
		}
		plain <- err
	}()
	<-held

	s.Set(false)
	if s.Up() {
		t.Error("up after being taken down")
	}
	if n, err := answer.Read(echo); n > 0 || err == nil {
		t.Errorf("the connection gave %d bytes after the switch was taken down", n)
	}
	if err := <-plain; err != nil {
		t.Errorf("the held request: %v", err)
	}
	if code := get("/quick"); code != http.StatusServiceUnavailable {
		t.Errorf("down: status %d", code)
	}
	s.Set(false) // twice is as good as once
	s.Set(true)
	if code := get("/quick"); code != http.StatusOK {
		t.Errorf("up again: status %d", code)
	}
}
