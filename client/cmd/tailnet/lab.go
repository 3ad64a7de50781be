package main

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/types/logger"
	"tailscale.com/types/netmap"
)

// What may be asked of the embedded tailnet over HTTP.
const (
	maxPeers = 20_000
	minChurn = 50 * time.Millisecond
)

// A lab is an embedded tailnet whose size and pace of change can be set while it is in use.
type lab struct {
	ctx     context.Context // ends the changes
	seed    uint64
	hostile bool
	relays  netip.AddrPort // where all relays of the network are
	relay   *tailnet.Switch
	logf    logger.Logf
	native  natives
	network *tailnet.Network
	control *tailnet.Control

	mu    sync.Mutex
	peers int
	churn time.Duration // 0 for no changes
	stop  context.CancelFunc
}

// newLab returns a lab that is to be served at self.
func newLab(ctx context.Context, self netip.AddrPort, peers int, churn time.Duration, seed uint64, hostile bool, logf logger.Logf) *lab {
	l := &lab{ctx: ctx, seed: seed, hostile: hostile, relays: self, relay: tailnet.NewSwitch(tailnet.NewRelay(logf)), logf: logf, peers: peers, stop: func() {}}
	l.network = tailnet.New(l.netmap(peers), peers, seed)
	for _, p := range nativePeers {
		l.network.AddNative(p.name, p.trusted)
	}
	l.setChurn(churn)
	return l
}

// netmap returns a tenth more peers than there are at first, so that some may come and go. It is the same throughout
// a month, so that a server that is started again changes nothing, and yet most keys are good.
func (l *lab) netmap(peers int) *netmap.NetworkMap {
	year, month, _ := time.Now().UTC().Date()
	nm := netmaptest.RealisticAt(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC), peers+peers/10+1, l.seed)
	if l.hostile {
		nm = netmaptest.HostileNames(nm)
	}
	tailnet.UseRelay(nm, l.relays)
	return nm
}

func (l *lab) setChurn(every time.Duration) {
	l.stop()
	ctx, stop := context.WithCancel(l.ctx)
	l.churn, l.stop = every, stop
	if every > 0 {
		go l.network.Churn(ctx, every)
	}
}

// labState is what /-/network takes and gives. What is left out stays as it is.
type labState struct {
	Peers *int   `json:"peers"`
	Churn *int64 `json:"churn"` // milliseconds between changes
}

// ServeHTTP tells the size and the pace, and sets them on POST.
func (l *lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var want labState
	if r.Method == http.MethodPost {
		if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != "application/json" {
			http.Error(w, "Content-Type must be application/json", http.StatusUnsupportedMediaType)
			return
		}
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&want)
		if err != nil || (want.Peers == nil && want.Churn == nil) ||
			(want.Peers != nil && (*want.Peers < 0 || *want.Peers > maxPeers)) ||
			(want.Churn != nil && *want.Churn != 0 && (*want.Churn < minChurn.Milliseconds() || *want.Churn > time.Hour.Milliseconds())) {
			http.Error(w, `the body must be like {"peers": 300, "churn": 2000}`, http.StatusBadRequest)
			return
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if want.Peers != nil && *want.Peers != l.peers {
		l.network.Refill(l.netmap(*want.Peers), *want.Peers)
		l.peers = *want.Peers
	}
	if want.Churn != nil {
		l.setChurn(time.Duration(*want.Churn) * time.Millisecond)
	}
	churn := l.churn.Milliseconds()
	writeJSON(w, labState{Peers: &l.peers, Churn: &churn})
}

// serveExpire lets the node keys of all browsers expire.
func (l *lab) serveExpire(w http.ResponseWriter, r *http.Request) {
	if !readJSON(w, r, &struct{}{}, func() error { return nil }) {
		return
	}
	l.control.ExpireKeys()
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte("{}"))
}

// serveRelay takes the relay down, or up again as one that was started anew.
func (l *lab) serveRelay(w http.ResponseWriter, r *http.Request) {
	serveSwitch(w, r, l.relay, func() { l.relay.Replace(tailnet.NewRelay(l.logf)) })
}

// route puts the lab beside everything else that is served.
func (l *lab) route(site http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /-/network", fromHere(l))
	mux.Handle("POST /-/network", fromHere(sameOrigin(l)))
	mux.Handle("POST /-/expire", fromHere(sameOrigin(http.HandlerFunc(l.serveExpire))))
	mux.Handle("POST /-/dial", fromHere(sameOrigin(http.HandlerFunc(l.native.serveDial))))
	l.routeAdmission(mux)
	mux.Handle("POST /-/relay", fromHere(sameOrigin(http.HandlerFunc(l.serveRelay))))
	mux.Handle("GET /-/peer", fromHere(http.HandlerFunc(l.native.serveTraffic)))
	mux.Handle("POST /-/peer", fromHere(sameOrigin(http.HandlerFunc(l.native.serveSwitch))))
	mux.Handle("GET /-/limit", fromHere(sameOrigin(http.HandlerFunc(serveLimit))))
	mux.Handle("/derp", sameOrigin(l.relay))
	mux.Handle("/derp/", sameOrigin(l.relay))
	mux.Handle("/", site)
	return mux
}
