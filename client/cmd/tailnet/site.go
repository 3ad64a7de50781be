package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
)

// The page loads only what this server has, runs no inline code, and connects to nothing else. Where terminals are, code
// may add styles.
const contentPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var inlineStylesPolicy = strings.Replace(contentPolicy, "style-src 'self'", "style-src 'self' 'unsafe-inline'", 1)

// site serves the control plane, its switch, and the files in dirs.
//
// Files are not compressed here: for a browser on the same machine that costs more than it saves. A file that has
// a compressed twin beside it, with .gz at the end of the name, is sent as that. The server is reached at self, and policy is
// what pages may do.
func site(control *tailnet.Switch, dirs []string, self netip.AddrPort, policy string) http.Handler {
	mux := http.NewServeMux()
	// All else that the control protocol asks for goes through /ts2021.
	mux.Handle("/key", control)
	mux.Handle("/ts2021", sameOrigin(control))
	mux.Handle("GET /-/control", fromHere(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeState(w, control)
	})))
	mux.Handle("POST /-/control", fromHere(sameOrigin(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serveSwitch(w, r, control, func() {})
	}))))
	mux.Handle("/", oneOrigin(self, files(dirs, policy)))
	return mux
}

// controlState is what /-/control takes and gives, and /-/relay likewise.
type controlState struct {
	Up *bool `json:"up"`
	// The numbers of requests so far that reached the control plane, and that were refused because it was down.
	// Each connection of a client takes two: one for the key, one to be upgraded.
	Answered int64 `json:"answered"`
	Refused  int64 `json:"refused"`
}

// serveSwitch takes something down or up, before which it calls begin.
func serveSwitch(w http.ResponseWriter, r *http.Request, control *tailnet.Switch, begin func()) {
	var want controlState
	if !readJSON(w, r, &want, func() error {
		if want.Up == nil {
			return errors.New(`the body must be {"up": true} or {"up": false}`)
		}
		return nil
	}) {
		return
	}
	if *want.Up {
		begin()
	}
	control.Set(*want.Up)
	writeState(w, control)
}

// readJSON reads the body of a request into v. If it isn't JSON, or check doesn't like v, it
// answers the request and returns false.
func readJSON(w http.ResponseWriter, r *http.Request, v any, check func() error) bool {
	if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != "application/json" {
		http.Error(w, "Content-Type must be application/json", http.StatusUnsupportedMediaType)
		return false
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(v)
	if err == nil {
		err = check()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

// writeJSON answers with what is so now.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(v)
}

func writeState(w http.ResponseWriter, control *tailnet.Switch) {
	up := control.Up()
	answered, refused := control.Requests()
	writeJSON(w, controlState{&up, answered, refused})
}

// sameOrigin refuses requests that pages of other origins make. Without TLS the name of the host must be
// an IP address or localhost, since any other can be made to point here.
func sameOrigin(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if _, err := netip.ParseAddr(host); err != nil && host != "localhost" && r.TLS == nil {
			http.Error(w, "reach this server by its address or as localhost", http.StatusForbidden)
			return
		}
		asPost := r.WithContext(r.Context()) // what only reads would be let through, and so would an upgrade
		asPost.Method = http.MethodPost
		if err := http.NewCrossOriginProtection().Check(asPost); err != nil {
			http.Error(w, "only this server's own page may do that", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// fromHere refuses requests that don't come from this machine, whatever address is served on.
func fromHere(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !from.Addr().Unmap().IsLoopback() {
			http.Error(w, "only this machine may do that", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// oneOrigin sends who comes by the name localhost to the address self. Under both, a browser would be two nodes; and
// the relay is at the address, which the page's policy lets it reach only if it comes from there. With TLS it is the
// certificate that has names.
func oneOrigin(self netip.AddrPort, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, _ := strings.Cut(r.Host, ":"); strings.EqualFold(host, "localhost") && r.TLS == nil {
			http.Redirect(w, r, "http://"+self.String()+r.URL.RequestURI(), http.StatusTemporaryRedirect)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// files serves the first of dirs that has the file.
func files(dirs []string, policy string) http.Handler {
	// The system's table of types may lack these or have others.
	for ext, mediaType := range map[string]string{
		".wasm": "application/wasm",
		".js":   "text/javascript; charset=utf-8",
		".mjs":  "text/javascript; charset=utf-8",
		".svg":  "image/svg+xml",

		".webmanifest": "application/manifest+json",
	} {
		mime.AddExtensionType(ext, mediaType)
	}
	var fsys layers
	for _, d := range dirs {
		fsys = append(fsys, os.DirFS(d))
	}
	serve := http.FileServerFS(fsys)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache") // ask every time, by date
		if twin, size := compressed(fsys, r); twin != nil {
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
			h.Set("X-Decoded-Length", strconv.FormatInt(size, 10)) // for progress bars: the length of the body tells nothing
			r = twin
		}
		h.Add("Vary", "Accept-Encoding")
		serve.ServeHTTP(w, r)
	})
}

// compressed returns the request for the compressed twin of the file that r asks for, and the file's own size. It
// returns nil if there is no twin that is at least as new, or the browser doesn't take it.
func compressed(fsys fs.FS, r *http.Request) (twin *http.Request, size int64) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if path.Ext(name) != ".wasm" || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		return nil, 0
	}
	plain, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, 0
	}
	gz, err := fs.Stat(fsys, name+".gz")
	if err != nil || gz.ModTime().Before(plain.ModTime()) {
		return nil, 0
	}
	twin = r.Clone(r.Context())
	twin.URL.Path = "/" + name + ".gz"
	return twin, plain.Size()
}

// layers is a file system in which each name is that of the first layer that has it.
type layers []fs.FS

func (l layers) Open(name string) (fs.File, error) {
	for _, fsys := range l {
		f, err := fsys.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return f, err
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// proxy forwards to a real control server, the upgrade of /ts2021 included.
func proxy(to *url.URL) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = to.Host
		r.Out.Header.Del("Origin") // it names this server
	}}
}
