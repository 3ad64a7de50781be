// Command resume is a node of a tailnet, for the test of this package: a tsnet.Server that is told by lines on its
// standard input what to do, and tells on its standard output, in lines of JSON, what happens.
// Built with the tag ts_omit_cachenetmap its netmap is kept by ipncache, without it by LocalBackend itself.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/netmapcache/netmapcache/client/ipncache"
	"tailscale.com/envknob"
	"tailscale.com/feature/buildfeatures"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnext"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/tsnet"
	"tailscale.com/types/logger"
)

// A line is what the program tells.
type line struct {
	Event string        // what happened: see the calls of tell
	Value string        `json:",omitempty"`
	Error string        `json:",omitempty"`
	Since time.Duration // since the program was started
}

var (
	began   = time.Now()
	telling sync.Mutex
)

func tell(event, value string, err error) {
	l := line{Event: event, Value: value, Since: time.Since(began)}
	if err != nil {
		l.Error = err.Error()
	}
	telling.Lock()
	defer telling.Unlock()
	json.NewEncoder(os.Stdout).Encode(l)
}

func main() {
	dir := flag.String("dir", "", "where the node keeps its state")
	control := flag.String("control", "", "URL of the control server")
	hostname := flag.String("hostname", "resume", "name of the node")
	flag.Parse()
	envknob.SetNoLogsNoSupport()
	if !buildfeatures.HasCacheNetMap {
		ipncache.Register(ipncache.Options{
			Open:    ipncache.ProfileDir,
			OnEvent: func(_ *ipnlocal.LocalBackend, e ipncache.Event, err error) { tell(string(e), "", err) },
		})
	}
	var backend *ipnlocal.LocalBackend
	ipnext.RegisterExtension("recorder", func(_ logger.Logf, b ipnext.SafeBackend) (ipnext.Extension, error) {
		backend = b.(*ipnlocal.LocalBackend)
		return recorder{}, nil
	})
	srv := &tsnet.Server{Dir: *dir, ControlURL: *control, Hostname: *hostname, UserLogf: logger.Discard}
	if err := srv.Start(); err != nil {
		tell("started", "", err)
		os.Exit(1)
	}
	tell("started", "", nil)
	ctx := context.Background()
	go func() {
		_, err := srv.Up(ctx)
		tell("up", backend.NodeKey().String(), err)
		ln, err := srv.Listen("tcp", ":80")
		tell("serving", "", err)
		if err == nil {
			http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "served by "+*hostname) }))
		}
	}()
	get := srv.HTTPClient()
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		switch command, arg, _ := strings.Cut(commands.Text(), " "); command {
		case "get":
			body, err := fetch(get, arg)
			tell("got", body, err)
		case "netmap":
			nm := backend.NetMapWithPeers()
			if nm == nil {
				tell("netmap", "none", nil)
				break
			}
			tell("netmap", fmt.Sprintf("cached=%v peers=%d", nm.Cached, len(nm.Peers)), nil)
		case "close":
			tell("closed", "", srv.Close())
			return
		}
	}
}

// fetchTimeout is much longer than a fetch takes, and how long one takes that isn't answered.
const fetchTimeout = 10 * time.Second

func fetch(c *http.Client, url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return "", err
	}
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// recorder tells of the backend's states and notifications, from the first on.
type recorder struct{}

func (recorder) Name() string    { return "recorder" }
func (recorder) Shutdown() error { return nil }

func (recorder) Init(h ipnext.Host) error {
	h.Hooks().MutateNotifyLocked.Add(func(n *ipn.Notify) {
		if n.State != nil {
			tell("state", n.State.String(), nil)
		}
		if n.LoginFinished != nil {
			tell("notify", "LoginFinished", nil)
		}
		if n.SelfChange != nil {
			tell("notify", "SelfChange", nil)
		}
		if len(n.PeersChanged)+len(n.PeersRemoved)+len(n.PeerChangedPatch) > 0 {
			tell("notify", "Peers", nil)
		}
		if n.ErrMessage != nil {
			tell("notify", "ErrMessage", nil)
		}
		if n.BrowseToURL != nil {
			tell("notify", "BrowseToURL", nil)
		}
	})
	return nil
}
