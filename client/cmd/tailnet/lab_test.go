package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"tailscale.com/types/logger"
)

func TestLab(t *testing.T) {
	l := newLab(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), 4, 0, 1, false, logger.Discard)
	handler := l.route(http.NotFoundHandler())
	for _, test := range []struct {
		name, method, body string
		contentType        string // application/json if empty
		from, site         string
		wantCode           int
		wantBody           string
		wantSize           int
	}{
		{name: "state", method: "GET", wantCode: 200, wantBody: `{"peers":4,"churn":0}`, wantSize: 4},
		{name: "size", method: "POST", body: `{"peers": 7}`, wantCode: 200, wantBody: `{"peers":7,"churn":0}`, wantSize: 7},
		{name: "pace", method: "POST", body: `{"churn": 3600000}`, wantCode: 200, wantBody: `{"peers":7,"churn":3600000}`, wantSize: 7},
		{name: "both", method: "POST", body: `{"peers": 0, "churn": 0}`, wantCode: 200, wantBody: `{"peers":0,"churn":0}`, wantSize: 0},
		{name: "too many", method: "POST", body: `{"peers": 20001}`, wantCode: 400},
		{name: "fewer than none", method: "POST", body: `{"peers": -1}`, wantCode: 400},
		{name: "too fast", method: "POST", body: `{"churn": 1}`, wantCode: 400},
		{name: "overflow", method: "POST", body: `{"churn": 9223372036854775807}`, wantCode: 400},
		{name: "neither", method: "POST", body: `{}`, wantCode: 400},
		{name: "not JSON", method: "POST", body: `peers=3`, wantCode: 400},
		{name: "as a form", method: "POST", body: `{"peers": 3}`, contentType: "text/plain", wantCode: 415},
		{name: "by another page", method: "POST", body: `{"peers": 3}`, site: "cross-site", wantCode: 403},
		{name: "from elsewhere", method: "POST", body: `{"peers": 3}`, from: "192.0.2.1:4711", wantCode: 403},
		{name: "state from elsewhere", method: "GET", from: "192.0.2.1:4711", wantCode: 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "/-/network", strings.NewReader(test.body))
			r.Host, r.RemoteAddr = "127.0.0.1:80", "127.0.0.1:4711"
			if test.from != "" {
				r.RemoteAddr = test.from
			}
			r.Header.Set("Content-Type", "application/json")
			if test.contentType != "" {
				r.Header.Set("Content-Type", test.contentType)
			}
			if test.site != "" {
				r.Header.Set("Sec-Fetch-Site", test.site)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != test.wantCode {
				t.Errorf("status %d, want %d", w.Code, test.wantCode)
			}
			if got := strings.TrimSpace(w.Body.String()); test.wantBody != "" && got != test.wantBody {
				t.Errorf("body %q, want %q", got, test.wantBody)
			}
			if size := l.network.Size(); size != test.wantSize { // 0 from "both" on
				t.Errorf("%d peers, want %d", size, test.wantSize)
			}
		})
	}
}

// TestRelayOrigin asks for the relay as a node would, and as pages would.
func TestRelayOrigin(t *testing.T) {
	l := newLab(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), 4, 0, 1, false, logger.Discard)
	handler := l.route(http.NotFoundHandler())
	for _, test := range []struct {
		name, host    string
		header, value string
		refused       bool
	}{
		{name: "a node", host: "127.0.0.1:80"},
		{name: "its own page", host: "127.0.0.1:80", header: "Origin", value: "http://127.0.0.1:80"},
		{name: "another page", host: "127.0.0.1:80", header: "Origin", value: "http://evil.example", refused: true},
		{name: "a page of another port", host: "127.0.0.1:80", header: "Origin", value: "http://127.0.0.1:81", refused: true},
		{name: "a page without an origin", host: "127.0.0.1:80", header: "Origin", value: "null", refused: true},
		{name: "another site", host: "127.0.0.1:80", header: "Sec-Fetch-Site", value: "cross-site", refused: true},
		{name: "a name that points here", host: "rebound.example:80", refused: true},
	} {
		for _, path := range []string{"/derp", "/derp/probe"} {
			t.Run(test.name+path, func(t *testing.T) {
				r := httptest.NewRequest("GET", path, nil)
				r.Host = test.host
				if test.header != "" {
					r.Header.Set(test.header, test.value)
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if refused := w.Code == http.StatusForbidden; refused != test.refused {
					t.Errorf("status %d; want it refused: %v", w.Code, test.refused)
				}
			})
		}
	}
}

// TestSwitches takes the relay and a native peer down and up again, as tests of transfers do.
func TestSwitches(t *testing.T) {
	l := newLab(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), 4, 0, 1, false, logger.Discard)
	handler := l.route(http.NotFoundHandler())
	if err := l.native.start("http://127.0.0.1:1", nil, logger.Discard); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.native.close)
	ask := func(method, path, body string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Host, r.RemoteAddr = "127.0.0.1:80", "127.0.0.1:4711"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	const none = `{"conns":0,"sent":0,"received":0}`
	for _, test := range []struct {
		method, path, body string
		wantCode           int
		wantBody           string
	}{
		{"POST", "/-/relay", `{"up": false}`, 200, `{"up":false,"answered":0,"refused":0}`},
		{"GET", "/derp/probe", "", 503, ""},
		{"POST", "/-/relay", `{"up": true}`, 200, `{"up":true,"answered":0,"refused":1}`},
		{"GET", "/derp/probe", "", 200, ""},
		{"POST", "/-/relay", `{}`, 400, ""},
		{"GET", "/-/peer", "", 200, `{"outsider":` + none + `,"web":` + none + `}`},
		{"POST", "/-/peer", `{"name": "web", "up": false}`, 200, `{"outsider":` + none + `}`},
		{"POST", "/-/peer", `{"name": "web", "up": true}`, 200, `{"outsider":` + none + `,"web":` + none + `}`},
		{"POST", "/-/peer", `{"name": "nobody", "up": true}`, 400, ""},
		{"POST", "/-/peer", `{"name": "web"}`, 400, ""},
	} {
		code, body := ask(test.method, test.path, test.body)
		if code != test.wantCode || test.wantBody != "" && body != test.wantBody {
			t.Errorf("%s %s %s: %d %s; want %d %s", test.method, test.path, test.body, code, body, test.wantCode, test.wantBody)
		}
	}
}
