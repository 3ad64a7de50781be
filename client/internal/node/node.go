// Package node is a whole node of a tailnet in one program: Tailscale's own backend,
// WireGuard engine and network stack, none of which needs a device of the operating
// system, with the network map kept by package ipncache. It runs natively and in browsers.
package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/netmapcache/netmapcache/client/ipncache"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/control/controlclient"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnauth"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/net/netns"
	"tailscale.com/net/tsdial"
	"tailscale.com/tsd"
	"tailscale.com/types/logger"
	"tailscale.com/types/logid"
	"tailscale.com/types/netmap"
	"tailscale.com/wgengine"
	"tailscale.com/wgengine/netstack"
)

// Options say how a node runs.
type Options struct {
	ControlURL string
	Hostname   string
	Keys       store.Store // where the node's keys and preferences are kept
	Networks   store.Store // where the network map is kept
	Ephemeral  bool        // have control forget the node soon after it ended
	AuthKey    string      // lets a new node in without a person; may be empty
	NoRoutes   bool        // don't reach subnets behind peers
	NoDNS      bool        // don't look up names as control says
	ExitNode   string      // reach what lies beyond the tailnet through this peer: a name, an address or a stable ID; may be empty

	// Claim is what Keys are kept for, if that says more than ControlURL. Keys of a node that were kept for another claim are refused.
	Claim string

	// MaxAge bounds how old a network map may be that the node starts from; 0 is no bound. That of
	// a program's first node counts for all.
	MaxAge time.Duration

	OnState func(State) // called one at a time, when the state has changed; must not block
	OnMark  func(Mark)  // called once for each mark, when it is reached; must not block
	Logf    logger.Logf
}

// Node is a running node.
type Node struct {
	opts    Options
	backend *ipnlocal.LocalBackend
	engine  wgengine.Engine
	dialer  *tsdial.Dialer
	http    *http.Client

	ending  sync.Once
	stop    context.CancelFunc
	stopped sync.WaitGroup

	heard   chan struct{} // control has sent something since the last look
	looking sync.Mutex    // held by look
	exit    exit

	settled  sync.Once
	settling chan struct{} // closed when there is a network map, or it is known that none is kept

	mu      sync.Mutex
	state   State
	saving  int // how much had been received when the last saving began
	lost    lost
	refusal string // what control said when it refused to let the node in
	marks   map[Mark]bool

	exitProblem error // why there is no exit node though one is asked for
}

// nodes are those that run, by their backends.
var nodes sync.Map

var registering sync.Once

// register has the backends of all nodes keep their network maps. What is saved, other tabs follow: hence the short times.
func register(maxAge time.Duration) {
	ipncache.Register(ipncache.Options{
		Open: func(_ context.Context, b *ipnlocal.LocalBackend, _ ipn.ProfileID) (store.Store, error) {
			n, ok := nodes.Load(b)
			if !ok {
				return nil, nil
			}
			return n.(*Node).opts.Networks, nil
		},
		Always:   true,
		MaxAge:   maxAge,
		Delay:    50 * time.Millisecond,
		Interval: time.Second,
		OnEvent: func(b *ipnlocal.LocalBackend, e ipncache.Event, err error) {
			if n, ok := nodes.Load(b); ok {
				n.(*Node).cacheEvent(e, err)
			}
		},
	})
}

// Start starts a node with the identity that is kept in opts.Keys, or a new one. It doesn't wait for
// the control plane, nor for the network map from opts.Networks. The node must be stopped.
func Start(opts Options) (*Node, error) {
	netns.SetEnabled(false) // there is no interface to bind to
	registering.Do(func() { register(opts.MaxAge) })
	opts.Claim = cmp.Or(opts.Claim, opts.ControlURL)
	n := &Node{opts: opts, marks: map[Mark]bool{}, settling: make(chan struct{}), heard: make(chan struct{}, 1)}
	if err := n.build(); err != nil {
		return nil, err
	}
	if err := n.claim(context.Background()); err != nil {
		n.backend.Shutdown()
		n.engine.Close()
		return nil, err
	}
	nodes.Store(n.backend, n)
	ctx, cancel := context.WithCancel(context.Background())
	n.stop = cancel
	n.stopped.Go(func() { n.watch(ctx) })
	n.stopped.Go(func() { n.poll(ctx) })
	prefs := ipn.NewPrefs()
	prefs.ControlURL = opts.ControlURL
	prefs.Hostname = opts.Hostname
	prefs.WantRunning = true
	prefs.RouteAll, prefs.CorpDNS = !opts.NoRoutes, !opts.NoDNS
	if err := n.backend.Start(ipn.Options{UpdatePrefs: prefs, AuthKey: opts.AuthKey}); err != nil {
		n.Stop()
		return nil, fmt.Errorf("start the node: %w", err)
	}
	n.mark(Started)
	if n.backend.State() == ipn.NeedsLogin && n.backend.NodeKey().IsZero() {
		n.Login()
	}
	return n, nil
}

// Stop saves what isn't saved yet, and ends the node.
func (n *Node) Stop() {
	n.ending.Do(func() {
		n.stop()
		n.stopped.Wait()
		n.backend.Shutdown()
		n.engine.Close()
		nodes.Delete(n.backend)
	})
}

// settle notes that the node has a network map, or that none is kept.
func (n *Node) settle() { n.settled.Do(func() { close(n.settling) }) }

// build puts the parts of the node together.
func (n *Node) build() error {
	logf := n.opts.Logf
	sys := tsd.NewSystem()
	sys.Set(ipncache.StateStore(n.opts.Keys))
	dialer := &tsdial.Dialer{Logf: logf} // the engine gives it a network monitor
	n.dialer = dialer
	dialer.SetBus(sys.Bus.Get())
	sys.Set(dialer)
	disco, err := n.discoKey(context.Background())
	if err != nil {
		return err
	}
	n.engine, err = wgengine.NewUserspaceEngine(logf, wgengine.Config{
		Dialer:        dialer,
		SetSubsystem:  sys.Set,
		ControlKnobs:  sys.ControlKnobs(),
		HealthTracker: sys.HealthTracker.Get(),
		ExtraRootCAs:  sys.ExtraRootCAs,
		Metrics:       sys.UserMetricsRegistry(),
		EventBus:      sys.Bus.Get(),
		ForceDiscoKey: disco,
	})
	if err != nil {
		return fmt.Errorf("make the WireGuard engine: %w", err)
	}
	sys.Set(n.engine)
	stack, err := netstack.Create(logf, sys.Tun.Get(), n.engine, sys.MagicSock.Get(), dialer, sys.DNSManager.Get(), sys.ProxyMapper())
	if err != nil {
		return fmt.Errorf("make the network stack: %w", err)
	}
	sys.Set(stack)
	stack.ProcessLocalIPs = true
	stack.ProcessSubnets = true
	sys.NetstackRouter.Set(true)
	gather(sys.Tun.Get())
	sys.Tun.Get().Start()
	stack.GetTCPHandlerForFlow = newWeb(fmt.Sprintf("This is %s.\n", n.opts.Hostname), n.peerAt).accept
	// Nothing is dialed but peers, and these through the network stack.
	dialer.UseNetstackForIP = func(netip.Addr) bool { return true }
	dialer.NetstackDialTCP = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		if _, ok := n.backend.PeerForIP(to.Addr()); !ok {
			return nil, fmt.Errorf("%w %q, or leads there", ErrNoPeer, to.Addr())
		}
		from, err := n.addressFor(to.Addr())
		if err != nil {
			return nil, err
		}
		conn, err := stack.DialContextTCPWithBind(ctx, from, to)
		if err != nil {
			return nil, err // not conn, a nil pointer that would make an interface that isn't nil
		}
		return conn, nil
	}
	dialer.NetstackDialUDP = func(context.Context, netip.AddrPort) (net.Conn, error) {
		return nil, errors.ErrUnsupported
	}
	n.backend, err = ipnlocal.NewLocalBackend(logf, logid.PublicID{}, sys, n.loginFlags())
	if err != nil {
		return fmt.Errorf("make the backend: %w", err)
	}
	if err := stack.Start(n.backend); err != nil {
		return fmt.Errorf("start the network stack: %w", err)
	}
	n.http = newClient(n.dial)
	return nil
}

// Login asks the control plane to let the node in, again if its key has expired. The state tells
// where the user has to go for that, if anywhere.
func (n *Node) Login() {
	n.stopped.Go(func() { n.backend.StartLoginInteractive(context.Background()) })
}

// loginFlags returns how the node signs in.
func (n *Node) loginFlags() controlclient.LoginFlags {
	if n.opts.Ephemeral {
		return controlclient.LoginEphemeral
	}
	return controlclient.LoginDefault
}

// Logout tells the control plane that this node is no more, so that its key is good for nothing, and removes the key. If
// control can't be reached, the key stays. The node can be stopped then, and nothing else.
func (n *Node) Logout(ctx context.Context) error {
	if err := n.backend.Logout(ctx, ipnauth.Self); err != nil {
		return fmt.Errorf("log out at control: %w", err)
	}
	if err := n.opts.Keys.Remove(ctx, discoKeyName); err != nil {
		return fmt.Errorf("remove the disco key: %w", err)
	}
	return nil
}

// Netmap returns the network map: the cached one until control sends one, and nil if there is none.
func (n *Node) Netmap() *netmap.NetworkMap { return n.backend.NetMapWithPeers() }
