package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"tailscale.com/types/logger"
)

// TestAdmission asks for what decides who is in the tailnet, as its own page, as another and from another machine.
func TestAdmission(t *testing.T) {
	l := newLab(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), 4, 0, 1, false, logger.Discard)
	l.control = tailnet.NewControl(l.network, logger.Discard)
	handler := l.route(http.NotFoundHandler())
	for _, test := range []struct {
		name, method, path, body string
		from, site               string
		wantCode                 int
	}{
		{name: "who is there", method: "GET", path: "/-/admission", wantCode: 200},
		{name: "sign in", method: "POST", path: "/-/admission", body: `{"login": true}`, wantCode: 200},
		{name: "not JSON", method: "POST", path: "/-/admission", body: "login", wantCode: 400},
		{name: "approve", method: "POST", path: "/-/approve", body: "{}", wantCode: 200},
		{name: "remove", method: "POST", path: "/-/remove", body: "{}", wantCode: 200},
		{name: "remove, by another page", method: "POST", path: "/-/remove", body: "{}", site: "cross-site", wantCode: 403},
		{name: "remove, from elsewhere", method: "POST", path: "/-/remove", body: "{}", from: "192.0.2.1:4711", wantCode: 403},
		{name: "an exit that isn't there", method: "POST", path: "/-/exit", body: `{"peer": "nobody", "offer": true}`, wantCode: 400},
		{name: "a URL of nobody's", method: "POST", path: "/auth/0", wantCode: 404},
		{name: "a URL from elsewhere", method: "GET", path: "/auth/0", from: "192.0.2.1:4711", wantCode: 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
			r.Host, r.RemoteAddr = "127.0.0.1:80", "127.0.0.1:4711"
			if test.from != "" {
				r.RemoteAddr = test.from
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Sec-Fetch-Site", test.site)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != test.wantCode {
				t.Errorf("status %d, want %d: %s", w.Code, test.wantCode, w.Body)
			}
		})
	}
}
