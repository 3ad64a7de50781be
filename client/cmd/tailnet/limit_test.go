package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/netmapcache/netmapcache/internal/packets"
	"tailscale.com/types/logger"
)

func TestLimit(t *testing.T) {
	l := newLab(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), 0, 0, 1, false, logger.Discard)
	server := httptest.NewServer(l.route(http.NotFoundHandler()))
	t.Cleanup(server.Close)
	const size = 3*packets.Size + 7
	ones, twos := "&key="+strings.Repeat("1", 64), "&key="+strings.Repeat("2", 64)

	// outcome asks as who has the first key, and returns how many bytes came, or the answer, and how it ended.
	outcome := func(t *testing.T, query, site string) string {
		header := http.Header{"Sec-Fetch-Site": {site}}
		conn, response, err := websocket.Dial(t.Context(), server.URL+"/-/limit?"+query, &websocket.DialOptions{HTTPHeader: header})
		if err != nil {
			return response.Status
		}
		defer conn.CloseNow()
		flow, err := packets.New(bytes.Repeat([]byte{0x11}, 32), size)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(query, "way=up") {
			for flow.Left() > 0 && conn.Write(t.Context(), websocket.MessageBinary, flow.Seal()) == nil {
			}
		}
		came, answer := 0, ""
		for {
			kind, message, err := conn.Read(t.Context())
			switch {
			case err != nil:
				return fmt.Sprintf("%d bytes, answer %q, %v", came, answer, websocket.CloseStatus(err))
			case kind == websocket.MessageText:
				answer += string(message)
			case flow.Open(message) != nil:
				return "another packet came"
			default:
				came = size - flow.Left()
			}
		}
	}
	for _, test := range []struct{ name, query, site, want string }{
		{name: "down", query: "way=down&bytes=3847" + ones, want: `3847 bytes, answer "", StatusNormalClosure`},
		{name: "down, another key", query: "way=down&bytes=3847" + twos, want: "another packet came"},
		{name: "up", query: "way=up&bytes=3847" + ones, want: `0 bytes, answer "3847", StatusNormalClosure`},
		{name: "up, another key", query: "way=up&bytes=3847" + twos, want: `0 bytes, answer "", StatusPolicyViolation`},
		{name: "up, fewer bytes", query: "way=up&bytes=3846" + ones, want: `0 bytes, answer "", StatusPolicyViolation`},
		{name: "no key", query: "way=up&bytes=3847", want: "400 Bad Request"},
		{name: "short key", query: "way=up&bytes=3847&key=11", want: "400 Bad Request"},
		{name: "no bytes", query: "way=up&bytes=0" + ones, want: "400 Bad Request"},
		{name: "too many bytes", query: "way=up&bytes=1073741825" + ones, want: "400 Bad Request"},
		{name: "no number", query: "way=up&bytes=many" + ones, want: "400 Bad Request"},
		{name: "no way", query: "bytes=3847" + ones, want: "400 Bad Request"},
		{name: "by another page", query: "way=down&bytes=3847" + ones, site: "cross-site", want: "403 Forbidden"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := outcome(t, test.query, test.site); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}
