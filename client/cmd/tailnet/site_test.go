package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
)

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

var self = netip.MustParseAddrPort("127.0.0.1:80")

func TestSite(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	write(t, first, "index.html", "the page")
	write(t, second, "index.html", "hidden by the other")
	write(t, second, "a.wasm", "wasm")
	write(t, second, "b.mjs", "module")
	control := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "control") })

	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	json := "application/json"
	for _, test := range []struct {
		name, method, path, host string
		from                     string // whose request it is; 127.0.0.1 if empty
		tls                      bool
		header                   http.Header
		body                     string
		wantCode                 int
		wantBody, wantType       string
		wantLocation             string
		wantDown                 bool
	}{
		{name: "page", path: "/", wantCode: 200, wantBody: "the page", wantType: "text/html; charset=utf-8"},
		{name: "wasm", path: "/a.wasm", wantCode: 200, wantBody: "wasm", wantType: "application/wasm"},
		{name: "module", path: "/b.mjs", wantCode: 200, wantBody: "module", wantType: "text/javascript; charset=utf-8"},
		{name: "page as localhost", path: "/?a=b", host: "localhost:80", wantCode: 307, wantLocation: "http://127.0.0.1:80/?a=b"},
		{name: "key as localhost", path: "/key?v=1", host: "localhost:80", wantCode: 200, wantBody: "control"},
		{name: "missing", path: "/c.js", wantCode: 404},
		{name: "key", path: "/key?v=1", wantCode: 200, wantBody: "control"},
		{name: "upgrade without a page", path: "/ts2021", wantCode: 200, wantBody: "control"},
		{name: "upgrade by own page", path: "/ts2021", header: header("Origin", "http://127.0.0.1:80"), wantCode: 200, wantBody: "control"},
		{name: "upgrade by another page", path: "/ts2021", header: header("Origin", "http://evil.example"), wantCode: 403},
		{name: "state", path: "/-/control", wantCode: 200, wantBody: `{"up":true,"answered":0,"refused":0}`, wantType: json},
		{name: "down", method: "POST", path: "/-/control", header: header("Content-Type", json), body: `{"up": false}`, wantCode: 200, wantBody: `{"up":false,"answered":0,"refused":0}`, wantType: json, wantDown: true},
		{name: "down by another page", method: "POST", path: "/-/control", header: header("Content-Type", json, "Sec-Fetch-Site", "cross-site"), body: `{"up": false}`, wantCode: 403},
		{name: "down under a name", method: "POST", path: "/-/control", host: "rebound.example:80", header: header("Content-Type", json), body: `{"up": false}`, wantCode: 403},
		{name: "upgrade under a name with a certificate", path: "/ts2021", host: "map.example:443", tls: true, header: header("Origin", "https://map.example:443"), wantCode: 200, wantBody: "control"},
		{name: "upgrade by another page with a certificate", path: "/ts2021", host: "map.example:443", tls: true, header: header("Origin", "https://evil.example"), wantCode: 403},
		{name: "page as localhost with a certificate", path: "/", host: "localhost:443", tls: true, wantCode: 200, wantBody: "the page"},
		{name: "state from elsewhere", path: "/-/control", from: "192.0.2.1:4711", wantCode: 403},
		{name: "down from elsewhere", method: "POST", path: "/-/control", from: "192.0.2.1:4711", header: header("Content-Type", json), body: `{"up": false}`, wantCode: 403},
		{name: "down over IPv6", method: "POST", path: "/-/control", from: "[::1]:4711", header: header("Content-Type", json), body: `{"up": false}`, wantCode: 200, wantDown: true},
		{name: "down as a form", method: "POST", path: "/-/control", header: header("Content-Type", "text/plain"), body: `{"up": false}`, wantCode: 415},
		{name: "neither up nor down", method: "POST", path: "/-/control", header: header("Content-Type", json), body: `{}`, wantCode: 400},
		{name: "not JSON", method: "POST", path: "/-/control", header: header("Content-Type", json), body: `up`, wantCode: 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			sw := tailnet.NewSwitch(control)
			r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
			r.Host = "127.0.0.1:80"
			r.RemoteAddr = "127.0.0.1:4711"
			if test.from != "" {
				r.RemoteAddr = test.from
			}
			if test.host != "" {
				r.Host = test.host
			}
			if test.tls {
				r.TLS = &tls.ConnectionState{}
			}
			for k, v := range test.header {
				r.Header[k] = v
			}
			w := httptest.NewRecorder()
			site(sw, []string{first, second}, self, contentPolicy).ServeHTTP(w, r)
			if w.Code != test.wantCode {
				t.Errorf("status %d, want %d", w.Code, test.wantCode)
			}
			if got := strings.TrimSpace(w.Body.String()); test.wantBody != "" && got != test.wantBody {
				t.Errorf("body %q, want %q", got, test.wantBody)
			}
			if got := w.Header().Get("Content-Type"); test.wantType != "" && got != test.wantType {
				t.Errorf("Content-Type %q, want %q", got, test.wantType)
			}
			if got := w.Header().Get("Location"); got != test.wantLocation {
				t.Errorf("Location %q, want %q", got, test.wantLocation)
			}
			if down := !sw.Up(); down != test.wantDown {
				t.Errorf("control is down: %v, want %v", down, test.wantDown)
			}
		})
	}
}

func TestProxy(t *testing.T) {
	real := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Host+" "+r.URL.String()+" "+r.Header.Get("Origin"))
	}))
	defer real.Close()
	to, err := url.Parse(real.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/key?v=1", nil)
	r.Header.Set("Origin", "http://127.0.0.1:8080")
	w := httptest.NewRecorder()
	site(tailnet.NewSwitch(proxy(to)), nil, self, contentPolicy).ServeHTTP(w, r)
	if got, want := strings.TrimSpace(w.Body.String()), to.Host+" /key?v=1"; got != want {
		t.Errorf("the real server was asked %q, want %q", got, want)
	}
}
