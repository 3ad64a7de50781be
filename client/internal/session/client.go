package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/control/controlclient"
	"tailscale.com/net/netmon"
	"tailscale.com/net/tsdial"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
	"tailscale.com/util/eventbus"
	"tailscale.com/version"
)

// A Phase is what a client is doing.
type Phase string

const (
	Connecting Phase = "connecting" // trying to reach control
	Login      Phase = "login"      // waiting for the user to visit State.LoginURL
	Live       Phase = "live"       // following the network map
	Waiting    Phase = "waiting"    // control could not be reached; trying again at State.RetryAt
)

// State is what a client reports of itself.
type State struct {
	Phase    Phase
	Since    time.Time      // when the phase began
	RetryAt  time.Time      // in phase Waiting
	LoginURL string         // in phase Login
	Error    string         // why control could not be reached the last time; empty once it was
	NodeKey  key.NodePublic // zero before the first registration

	FullMaps int       // full network maps received since the start
	Deltas   int       // changes to peers, profiles and filter received since the start
	Saved    bool      // whether the cache has everything received so far
	SavedAt  time.Time // when the cache last took something in; zero before
	// SaveError tells why the last attempt to save failed; empty if it did not.
	SaveError string
}

// Options say how a client runs.
type Options struct {
	ControlURL string
	Hostname   string
	Cache      *netmapcache.Cache // where the network map is kept; nil for nowhere
	Identity   store.Store        // where the node's keys are kept
	OnState    func(State)        // called one at a time, when the state has changed; must not block
	Logf       logger.Logf
}

// Client follows the network map of one control server.
type Client struct {
	opts    Options
	id      *identity
	running *running
	saver   *saver
	wake    chan struct{} // holds a token if a retry is wanted now

	mu    sync.Mutex
	state State
}

// Time between attempts to reach control: doubled from one to the other, and shortened
// at random by up to half so that the clients of a control server that returns don't all come at once.
const (
	minRetry = 500 * time.Millisecond
	maxRetry = 10 * time.Second
)

// loginTimeout bounds the registration, which has no watchdog as the poll has.
const loginTimeout = 30 * time.Second

// New returns a client with the identity that is kept in opts.Identity, or with a new one.
func New(ctx context.Context, opts Options) (*Client, error) {
	id, err := loadIdentity(ctx, opts.Identity)
	if err != nil {
		return nil, err
	}
	c := &Client{opts: opts, id: id, wake: make(chan struct{}, 1)}
	c.running = &running{sink: c}
	c.saver = newSaver(opts.Cache, c.running.netmap, c.saved)
	if k := id.Persist.PrivateNodeKey; !k.IsZero() {
		c.state.NodeKey = k.Public()
	}
	return c, nil
}

// Netmap returns the network map with all deltas so far, or nil if control
// hasn't sent one yet. Its views are shared and immutable; the rest is the caller's.
func (c *Client) Netmap() *netmap.NetworkMap { return c.running.netmap() }

// Retry makes a client that waits to try again do so now.
func (c *Client) Retry() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run connects and follows, again and again, until ctx ends.
func (c *Client) Run(ctx context.Context) {
	var saving sync.WaitGroup
	if c.opts.Cache != nil {
		saving.Go(func() { c.saver.run(ctx) })
	}
	c.follow(ctx)
	saving.Wait()
}

func (c *Client) follow(ctx context.Context) {
	wait := minRetry
	for ctx.Err() == nil {
		select {
		case <-c.wake: // asked for before this attempt
		default:
		}
		c.enter(Connecting, func(*State) {})
		err := c.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if c.phase() == Live {
			wait = minRetry
		}
		pause := wait/2 + rand.N(wait/2)
		wait = min(2*wait, maxRetry)
		c.enter(Waiting, func(s *State) {
			s.Error = err.Error()
			s.RetryAt = time.Now().Add(pause)
		})
		select {
		case <-ctx.Done():
		case <-c.wake:
			wait = minRetry
		case <-time.After(pause):
		}
	}
}

// connect registers and follows the network map for as long as control lets it. It always returns an error.
// Every connection has a new control client, which asks the server for its key anew: it may have been replaced.
func (c *Client) connect(ctx context.Context) error {
	bus := eventbus.New()
	defer bus.Close()
	// Not closed: it holds nothing but what the bus does, and without peer API its Close panics.
	dialer := tsdial.NewDialer(netmon.NewStatic())
	dialer.SetBus(bus)
	direct, err := controlclient.NewDirect(controlclient.Options{
		Persist:              c.id.Persist,
		GetMachinePrivateKey: func() (key.MachinePrivate, error) { return c.id.MachineKey, nil },
		ServerURL:            c.opts.ControlURL,
		Hostinfo: &tailcfg.Hostinfo{
			BackendLogID: "netmapcache", // control requires one; nothing is logged to it
			Hostname:     c.opts.Hostname,
			OS:           version.OS(),
			IPNVersion:   version.Long(),
		},
		Logf:   c.opts.Logf,
		Dialer: dialer,
		Bus:    bus,
	})
	if err != nil {
		return err
	}
	defer direct.Close()

	if err := c.register(ctx, direct); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if err := direct.SendUpdate(ctx); err != nil {
		return fmt.Errorf("send host information: %w", err)
	}
	if err := direct.PollNetMap(ctx, c.running); err != nil {
		return fmt.Errorf("follow the network map: %w", err)
	}
	return errors.New("control ended the connection")
}

func (c *Client) register(ctx context.Context, direct *controlclient.Direct) error {
	loginCtx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	url, err := direct.TryLogin(loginCtx, controlclient.LoginDefault)
	for err == nil && url != "" {
		c.enter(Login, func(s *State) { s.LoginURL = url })
		url, err = direct.WaitLoginURL(ctx, url)
	}
	if err != nil {
		return err
	}
	c.id.Persist = *direct.GetPersist().AsStruct()
	c.set(func(s *State) { s.NodeKey = c.id.Persist.PrivateNodeKey.Public() })
	return c.id.save(ctx, c.opts.Identity)
}

func (c *Client) phase() Phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Phase
}

// enter begins a phase.
func (c *Client) enter(p Phase, change func(*State)) {
	c.set(func(s *State) {
		s.Phase, s.Since = p, time.Now()
		s.RetryAt, s.LoginURL = time.Time{}, ""
		change(s)
	})
}

func (c *Client) set(change func(*State)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.state)
	c.opts.OnState(c.state)
}

func (c *Client) saved(err error) {
	c.set(func(s *State) {
		if err != nil {
			s.SaveError = err.Error()
			return
		}
		s.Saved, s.SavedAt, s.SaveError = c.saver.idle(), time.Now(), ""
	})
}

// The client is the sink of its running netmap: it passes on to the saver, and counts.

func (c *Client) replaced() {
	c.saver.replaced()
	if c.phase() != Live {
		c.enter(Live, func(s *State) { s.Error = "" })
	}
	c.received(func(s *State) { s.FullMaps++ })
}

func (c *Client) peersChanged(update []tailcfg.NodeView, remove []tailcfg.StableNodeID) {
	c.saver.peersChanged(update, remove)
	c.received(func(s *State) { s.Deltas++ })
}

func (c *Client) profilesChanged(profiles map[tailcfg.UserID]tailcfg.UserProfileView) {
	c.saver.profilesChanged(profiles)
	c.received(func(s *State) { s.Deltas++ })
}

func (c *Client) filterChanged(rules views.Slice[tailcfg.FilterRule]) {
	c.saver.filterChanged(rules)
	c.received(func(s *State) { s.Deltas++ })
}

func (c *Client) received(count func(*State)) {
	c.set(func(s *State) {
		count(s)
		s.Saved = c.saver.idle()
	})
}
