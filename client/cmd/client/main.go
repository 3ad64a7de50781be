//go:build js && wasm

// Command client is the reference client for browsers: a whole node of a tailnet, which
// keeps its network map in IndexedDB, and its keys if it is to.
//
// The page that starts it passes an object named netmapcacheHost as a property of the
// program's global object, which is the program's own, not the page's. Its properties are
//
//	version              that of the JavaScript around the program, which has to be the program's own
//	database             the name of the cache's database
//	keepKeys             whether the node's keys are kept, in the database named <database>-keys, sealed under the
//	                     key in <database>-seal. Otherwise they are in memory, and the node is an ephemeral one
//	controlURL           the control server. Its scheme, host and port are also the owner of the cache. The program asks for /key
//	                     and /ts2021 there; whoever gives it fetch and WebSocket puts them under the URL's path
//	hostname             what the node calls itself
//	authKey              lets a new node in without a person; "" for none
//	acceptRoutes         whether subnets behind peers are reached
//	acceptDNS            whether names are looked up as control says
//	exitNode             the peer through which it is reached what lies beyond the network: a name, an address or a stable ID;
//	                     "" for none
//	maxAge               how old a cached network map may be that the node starts from, in milliseconds; 0 is no bound
//	ready(commands)      the program runs
//	state(state)         something changed; the argument is made by stateValue
//	mark(name)           an event of the start, once each: one of node.Mark
//	ended(message, code) the program ends: because it was stopped, if the message is empty
//
// and the commands are
//
//	news(whole)         what has changed of the network map since the last call, or all of it, as JSON text of a
//	                    node.News; null while there is no network map
//	retry()             try to reach control now, if waiting
//	login()             ask control to let this node in, again if its key has expired
//	logout(settle)      tell control that this node is no more. settle is called once, with an error if
//	                    control doesn't know of it in the end
//	request(request, settle)
//	                    send an HTTP request to a peer; returns a function that gives up, which ends the answer's body too. The
//	                    request has a method, a url, headers, whether to follow redirects on the same host, and perhaps a
//	                    body: an object of read(attempt, settle), cancel(attempt), and size if it is known and a later attempt may read
//	                    it again. settle is called once, with an error, or with null and an object of status, statusText, url,
//	                    headers, read and close. Headers are pairs of name and value
//	connect(address, settle)
//	                    connect to a TCP port of a peer, host:port; returns a function that gives up. settle is called
//	                    once, with an error, or with null and an object of read, write(bytes, settle), closeWrite(settle) and close
//	ping(host, settle)  ask a peer for a sign of life; returns a function that gives up. settle is called once, with an
//	                    error, or with null and an object of what a node.Pong has, with latency in milliseconds
//	stop()              end
//
// read(settle) settles with an error, or with null and a Uint8Array, which is null at the end. It is called again
// when it has settled. close() is called once, and nothing of the object after it. Errors are objects of code and message.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"
	"syscall/js"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/node"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"github.com/netmapcache/netmapcache/store/idbstore/webkey"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/netmapcache/netmapcache/store/sealed"
	"tailscale.com/envknob"
	"tailscale.com/types/logger"
)

// version is set by the build.
var version = "unknown"

func main() {
	log.SetFlags(0)
	envknob.SetNoLogsNoSupport()
	host := js.Global().Get("netmapcacheHost")
	message, code := "", ""
	if err := run(host); err != nil {
		message, code = err.Error(), codeOf(err)
	}
	host.Call("ended", message, code)
}

// errVersion is reported if the program isn't of the version of what runs it.
var errVersion = errors.New("the program and the JavaScript that runs it are of different versions")

// run runs the client until the page stops it.
func run(host js.Value) error {
	if around := host.Get("version").String(); around != version {
		return fmt.Errorf("%w: %s and %s", errVersion, version, around)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	database := host.Get("database").String()
	claim := host.Get("controlURL").String()
	controlURL, err := originOf(claim)
	if err != nil {
		return err
	}
	if strings.HasPrefix(controlURL, "http:") {
		plainRelay(controlURL)
	}

	networks, err := idbstore.Open(ctx, database)
	if err != nil {
		return fmt.Errorf("open the store of the network map: %w", err)
	}
	defer networks.Close()
	keepKeys := host.Get("keepKeys").Bool()
	keys, closeKeys, err := openKeys(ctx, database, keepKeys)
	if err != nil {
		return fmt.Errorf("open the store of this node's keys: %w", err)
	}
	defer closeKeys()

	n, err := node.Start(node.Options{
		ControlURL: controlURL,
		Claim:      claim,
		Hostname:   host.Get("hostname").String(),
		Keys:       keys,
		Networks:   networks,
		MaxAge:     time.Duration(host.Get("maxAge").Float()) * time.Millisecond,
		Ephemeral:  !keepKeys,
		AuthKey:    host.Get("authKey").String(),
		NoRoutes:   !host.Get("acceptRoutes").Bool(),
		NoDNS:      !host.Get("acceptDNS").Bool(),
		ExitNode:   host.Get("exitNode").String(),
		OnState:    func(s node.State) { host.Call("state", stateValue(s)) },
		OnMark:     func(m node.Mark) { host.Call("mark", string(m)) },
		Logf:       logf(host),
	})
	if err != nil {
		return err
	}
	defer n.Stop()

	command := func(f func()) js.Func {
		return js.FuncOf(func(js.Value, []js.Value) any { f(); return nil })
	}
	var follower node.Follower
	host.Call("ready", map[string]any{
		"news":    js.FuncOf(func(_ js.Value, args []js.Value) any { return newsText(&follower, n, args[0].Bool()) }),
		"retry":   command(func() { go n.Retry() }),
		"login":   command(n.Login),
		"logout":  js.FuncOf(func(_ js.Value, args []js.Value) any { go logout(ctx, n, args[0]); return nil }),
		"request": js.FuncOf(func(_ js.Value, args []js.Value) any { return request(ctx, n, args[0], args[1]) }),
		"connect": js.FuncOf(func(_ js.Value, args []js.Value) any { return connect(ctx, n, args[0].String(), args[1]) }),
		"ping":    js.FuncOf(func(_ js.Value, args []js.Value) any { return ping(ctx, n, args[0].String(), args[1]) }),
		"stop":    command(stop),
	})
	<-ctx.Done()
	return nil
}

// originOf returns a URL without its path.
func originOf(controlURL string) (string, error) {
	u, err := url.Parse(controlURL)
	if err != nil {
		return "", fmt.Errorf("the URL of control: %w", err)
	}
	return u.Scheme + "://" + u.Host, nil
}

// logoutTimeout is how long control has to answer that a node is no more.
const logoutTimeout = 10 * time.Second

func logout(ctx context.Context, n *node.Node, settle js.Value) {
	ctx, cancel := context.WithTimeoutCause(ctx, logoutTimeout, fmt.Errorf("no answer in %v", logoutTimeout))
	defer cancel()
	settle.Invoke(errorValue(reason(ctx, n.Logout(ctx))))
}

// openKeys opens the store in <database>-keys, sealed under the key that the browser keeps in <database>-seal, or, if
// nothing is to be kept, one in memory. The store is closed by the function returned.
func openKeys(ctx context.Context, database string, keep bool) (_ store.Store, closeStore func() error, _ error) {
	if !keep {
		return memstore.New(), func() error { return nil }, nil
	}
	key, err := webkey.Load(ctx, database+"-seal")
	if err != nil {
		return nil, nil, err
	}
	db, err := idbstore.Open(ctx, database+"-keys")
	if err != nil {
		return nil, nil, err
	}
	s, err := sealed.New(db, key)
	return s, db.Close, err
}

// logf returns what becomes of the node's log: it goes to the console if the page wants it.
func logf(host js.Value) logger.Logf {
	if host.Get("verbose").Truthy() {
		return log.Printf
	}
	return logger.Discard
}

// plainRelay makes the node use relays without TLS, as the embedded tailnet has them, and measure their
// latency where they are: at the control server. Otherwise it would ask port 443.
func plainRelay(controlURL string) {
	envknob.Setenv("TS_DEBUG_USE_DERP_HTTP", "true")
	http.DefaultClient.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/derp/probe" {
			probe, err := http.NewRequestWithContext(r.Context(), r.Method, controlURL+r.URL.Path, nil)
			if err != nil {
				return nil, err
			}
			r = probe
		}
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newsText returns what is new in the node's network map as JSON text, or nil if there is none.
func newsText(f *node.Follower, n *node.Node, whole bool) any {
	text, err := f.Next(n.Netmap(), whole)
	if err != nil {
		log.Print(err)
	}
	if text == nil {
		return nil
	}
	return string(text)
}

// stateValue returns s as JavaScript sees it: times are in milliseconds since 1970, 0 for none.
func stateValue(s node.State) map[string]any {
	nodeKey := ""
	if !s.NodeKey.IsZero() {
		nodeKey = s.NodeKey.String()
	}
	return map[string]any{
		"phase":         string(s.Phase),
		"since":         millis(s.Since),
		"loginURL":      s.LoginURL,
		"error":         s.Error,
		"refused":       s.Refused,
		"exitNodeError": s.ExitNodeError,
		"backend":       s.Backend.String(),
		"nodeKey":       nodeKey,
		"keyExpired":    millis(s.KeyExpired),
		"fullMaps":      s.FullMaps,
		"deltas":        s.Deltas,
		"saved":         s.Saved,
		"savedAt":       millis(s.SavedAt),
		"saveError":     s.SaveError,
		"cacheError":    s.CacheError,
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
