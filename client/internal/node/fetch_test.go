package node

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestClient asks peers whose answers lead elsewhere, or have no end.
func TestClient(t *testing.T) {
	asked := map[string]int{} // by host
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		asked[r.Host]++
		io.WriteString(w, r.Host)
	})
	lead := func(path, to string) { mux.Handle(path, http.RedirectHandler(to, http.StatusFound)) }
	lead("/path", "/there")
	lead("/upper", "http://WEB/there")
	lead("/port", "http://web:8080/there")
	lead("/other", "http://other/there")
	lead("/twice", "/other")
	lead("/address", "http://100.64.0.1/there")
	lead("/round", "/round")
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("A", strings.Repeat("b", 2*maxAnswerHeaders))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	client := newClient(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	})
	defer client.CloseIdleConnections()

	for _, test := range []struct{ path, want, wantErr string }{
		{path: "/", want: "web"},
		{path: "/path", want: "web"},
		{path: "/upper", want: "WEB"},
		{path: "/port", want: "web:8080"},
		{path: "/other", wantErr: `web leads on to "http://other/there"`},
		{path: "/twice", wantErr: `web leads on to "http://other/there"`},
		{path: "/address", wantErr: `web leads on to "http://100.64.0.1/there"`},
		{path: "/round", wantErr: "web leads on more than 10 times"},
		{path: "/headers", wantErr: "exceeded"},
	} {
		t.Run(test.path, func(t *testing.T) {
			response, err := client.Get("http://web" + test.path)
			if err != nil {
				if test.wantErr == "" || !strings.Contains(err.Error(), test.wantErr) {
					t.Errorf("error %q, want %q", err, test.wantErr)
				}
				return
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if string(body) != test.want || err != nil || test.wantErr != "" {
				t.Errorf("%q, %v; want %q, error %q", body, err, test.want, test.wantErr)
			}
		})
	}
	for host := range asked {
		if !strings.HasPrefix(strings.ToLower(host), "web") {
			t.Errorf("%s was asked", host)
		}
	}
}
