package tailnet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"tailscale.com/envknob"
	"tailscale.com/ipn"
	"tailscale.com/tsnet"
	"tailscale.com/types/logger"
)

// Native is a peer that runs in this program: Tailscale's own client, which
// serves a small page to the tailnet.
type Native struct {
	name    string
	page    []byte // what it serves; nil for a greeting
	server  *tsnet.Server
	traffic traffic
}

// Confine keeps native peers from looking for anything beyond this machine. They reach each other, and browsers, through
// the relay alone.
func Confine() {
	envknob.SetNoLogsNoSupport()
	envknob.Setenv("TS_DEBUG_USE_DERP_HTTP", "true") // the relay has no certificate
	envknob.Setenv("TS_DEBUG_NEVER_DIRECT_UDP", "true")
	envknob.Setenv("TS_DISABLE_PORTMAPPER", "true")
}

// StartNative starts a native peer, whose name the network was told by AddNative. It keeps trying to join. Its files
// are in dir. It serves page, or a greeting if that is nil.
func StartNative(name, controlURL, dir string, page []byte, logf logger.Logf) (*Native, error) {
	n := &Native{name: name, page: page, server: &tsnet.Server{
		Hostname:   name,
		ControlURL: controlURL,
		Dir:        dir,
		Logf:       logf,
		UserLogf:   logf,
	}}
	if err := n.server.Start(); err != nil {
		return nil, fmt.Errorf("start the native peer %s: %w", name, err)
	}
	ln, err := n.listen(webPort)
	if err != nil {
		n.server.Close()
		return nil, fmt.Errorf("listen on the native peer %s: %w", name, err)
	}
	go http.Serve(ln, http.HandlerFunc(n.serve)) // until Close
	go n.signIn()
	if err := n.serveServices(); err != nil {
		n.server.Close()
		return nil, fmt.Errorf("listen on the native peer %s: %w", name, err)
	}
	return n, nil
}

// Up waits until the peer is in the tailnet and connected to its relay. What it is sent before is lost, and a node that began a
// WireGuard handshake then begins the next 5 seconds later.
func (n *Native) Up(ctx context.Context) error {
	if _, err := n.server.Up(ctx); err != nil {
		return fmt.Errorf("wait for the native peer %s: %w", n.name, err)
	}
	return nil
}

// Close ends the peer.
func (n *Native) Close() error { return n.server.Close() }

// signIn lets the peer in where control asks for a person, as one who presses the only button there.
func (n *Native) signIn() {
	local, err := n.server.LocalClient()
	if err != nil {
		return // it was closed
	}
	news, err := local.WatchIPNBus(context.Background(), ipn.NotifyInitialState)
	if err != nil {
		return
	}
	defer news.Close()
	for {
		note, err := news.Next() // until Close
		if err != nil {
			return
		}
		if note.BrowseToURL == nil {
			continue
		}
		if res, err := http.Post(*note.BrowseToURL, "", nil); err == nil {
			res.Body.Close()
		}
	}
}

var nativePage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>{{.Name}}</title>
<h1>Hello from {{.Name}}</h1>
<p>This page came through the tailnet, from a native peer. It was made at {{.Now}} for {{.Caller}}.</p>
`))

// serve answers with a page that tells who asks, and sends back what is uploaded. It does otherwise at
//
//	/redirect?to=URL&code=N  leads on
//	/status?code=N           answers with that status
//	/pattern?size=N          sends so much of what port 19 sends
//	/check                   tells how much of that was uploaded
//	/bytes?size=N            answers with so much text
//	/early                   answers without reading what is uploaded
//	/never                   answers never
func (n *Native) serve(w http.ResponseWriter, r *http.Request) {
	number := func(name string) int64 {
		i, _ := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
		return i
	}
	switch {
	case r.URL.Path == "/redirect":
		http.Redirect(w, r, r.URL.Query().Get("to"), cmp.Or(int(number("code")), http.StatusFound))
		return
	case r.URL.Path == "/status":
		http.Error(w, r.URL.RawQuery, int(number("code")))
		return
	case r.URL.Path == "/pattern":
		w.Header().Set("Content-Length", fmt.Sprint(number("size")))
		io.CopyN(w, &patternReader{}, number("size"))
		return
	case r.URL.Path == "/check":
		fmt.Fprint(w, check(r.Body))
		return
	case r.URL.Path == "/early":
		w.Header().Set("Connection", "close") // else the server reads some of it after all
		http.Error(w, "no", http.StatusRequestEntityTooLarge)
		return
	case r.URL.Path == "/never":
		io.Copy(io.Discard, r.Body) // until then the server doesn't look whether the client has gone
		<-r.Context().Done()
		return
	case r.URL.Path == "/bytes":
		chunk := bytes.Repeat([]byte("a"), 1<<16)
		for size := number("size"); size > 0; size -= int64(len(chunk)) {
			if _, err := w.Write(chunk[:min(size, int64(len(chunk)))]); err != nil {
				return
			}
		}
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Header().Set("X-Content-Length", fmt.Sprint(r.ContentLength))
		http.NewResponseController(w).EnableFullDuplex() // else the first bytes of the answer end the upload
		io.Copy(w, r.Body)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if n.page != nil {
		w.Write(n.page)
		return
	}
	nativePage.Execute(w, map[string]string{
		"Name":   n.name,
		"Now":    time.Now().Format("15:04:05"),
		"Caller": r.RemoteAddr,
	})
}

// Get fetches a page of a node of the tailnet.
func (n *Native) Get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return "", err
	}
	res, err := n.server.HTTPClient().Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// What becomes of a connection attempt.
const (
	Accepted = "accepted"
	Refused  = "refused" // by the node itself: the attempt got through
	Dropped  = "dropped" // no answer
)

// Dial tries to connect to a node of the tailnet.
func (n *Native) Dial(ctx context.Context, to netip.AddrPort) (string, error) {
	conn, err := n.server.Dial(ctx, "tcp", to.String())
	var timeout net.Error
	switch {
	case err == nil:
		conn.Close()
		return Accepted, nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused, nil
	case ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout():
		return Dropped, nil
	}
	return "", err
}
