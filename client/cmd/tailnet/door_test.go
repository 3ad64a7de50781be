package main

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"tailscale.com/types/logger"
)

func TestDoor(t *testing.T) {
	l := newLab(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), 0, 0, 1, false, logger.Discard)
	door := doorOf(tailnet.NewControl(l.network, logger.Discard))
	for _, test := range []struct {
		name, method, site string
		wantCode           int
		wantBody           string
	}{
		{name: "page", method: "GET", wantCode: 200, wantBody: "Let it in"},
		{name: "nobody waits", method: "POST", wantCode: 404},
		{name: "by another page", method: "POST", site: "cross-site", wantCode: 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "/auth/0123", nil)
			r.Host = "127.0.0.1:80"
			if test.site != "" {
				r.Header.Set("Sec-Fetch-Site", test.site)
			}
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			if w.Code != test.wantCode || !strings.Contains(w.Body.String(), test.wantBody) {
				t.Errorf("status %d, want %d; body %q", w.Code, test.wantCode, w.Body)
			}
		})
	}
}
