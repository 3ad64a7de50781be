package node

import (
	"sync"
	"time"

	"tailscale.com/control/controlclient"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnext"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/types/logger"
)

func init() {
	ipnext.RegisterExtension("netmapcache-node", func(_ logger.Logf, b ipnext.SafeBackend) (ipnext.Extension, error) {
		return &controlExtension{backend: b}, nil
	})
}

// controlExtension knows the control client that its backend uses, and tells the node of what control sends.
type controlExtension struct {
	backend ipnext.SafeBackend

	mu     sync.Mutex
	client controlclient.Client // nil before the first
}

// Name implements [ipnext.Extension].
func (e *controlExtension) Name() string { return "netmapcache-node" }

// Init implements [ipnext.Extension].
func (e *controlExtension) Init(h ipnext.Host) error {
	h.Hooks().MutateNotifyLocked.Add(func(note *ipn.Notify) {
		if n, ok := nodes.Load(e.backend); ok {
			n.(*Node).received(note)
		}
	})
	h.Hooks().NewControlClient.Add(func(c controlclient.Client, _ ipn.LoginProfileView) func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.client = c
		return nil
	})
	return nil
}

// Shutdown implements [ipnext.Extension].
func (e *controlExtension) Shutdown() error { return nil }

// lostPatience is how long a node that control no longer answers asks for the network map alone, which takes about ten attempts.
const lostPatience = 5 * time.Second

// lost is how long control hasn't been followed that was before.
type lost struct {
	since time.Time // zero while it is followed
	asked bool      // whether it was asked since whether it knows the node
}

// toAsk reports whether control is to be asked now whether it still knows the node.
func (l *lost) toAsk(following, in bool) bool {
	switch {
	case following || !in:
		*l = lost{}
	case l.since.IsZero():
		l.since = time.Now()
	case !l.asked && time.Since(l.since) > lostPatience:
		l.asked = true
		return true
	}
	return false
}

// signInAgain has the control client do what it does at a start. It would ask for the network map forever of a control server that
// has removed the node, and never be told.
func (n *Node) signInAgain() {
	if e, ok := ipnlocal.GetExt[*controlExtension](n.backend); ok {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.client.Login(n.loginFlags())
	}
}

// Retry makes a node that waits to try control again do so now.
func (n *Node) Retry() {
	e, ok := ipnlocal.GetExt[*controlExtension](n.backend)
	if !ok {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil && !n.backend.HealthTracker().GetInPollNetMap() {
		// There is no other way to end its pause between attempts.
		e.client.SetPaused(true)
		e.client.SetPaused(false)
	}
}
