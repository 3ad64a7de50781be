package tailnet

import (
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// An Admission is whom control lets in. The zero value is everyone.
type Admission struct {
	Login    bool   `json:"login"`    // those for whom a person has signed in
	AuthKey  string `json:"authKey"`  // those that have this key; others are refused
	Approval bool   `json:"approval"` // new ones once they are approved
}

// Admit sets whom control lets in from now on. People sign in under the path /auth/ of url. No node may be about to
// sign in meanwhile.
func (c *Control) Admit(a Admission, url string) {
	c.server.ExplicitBaseURL = url
	c.server.RequireAuth, c.server.RequireAuthKey, c.server.RequireMachineAuth = a.Login, a.AuthKey, a.Approval
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.network.approval = a.Approval
}

// SignIn lets the node in to which control has given this path of a URL. It reports whether there is one.
func (c *Control) SignIn(path string) bool { return c.server.CompleteAuth(path) }

// Approve lets all browsers in that wait for it. They ask for all of the network anew.
func (n *Network) Approve() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.clients {
		if c.waiting {
			c.self = c.self.Clone()
			c.waiting, c.self.MachineAuthorized = false, true
		}
	}
	n.cutLocked(func(c *client) bool { return !c.native() })
}

// cutLocked ends the polls of clients.
func (n *Network) cutLocked(whose func(*client) bool) {
	for s := range n.streams {
		if whose(s.client) {
			close(s.deltas)
			delete(n.streams, s)
		}
	}
}

// Remove removes all browsers, as an administrator does. Control tells them nothing from then on, until they sign in anew.
func (c *Control) Remove() {
	n := c.network
	var keys []key.NodePublic
	n.mu.Lock()
	for id, browser := range n.clients {
		if !browser.native() {
			keys = append(keys, browser.self.Key)
			n.removed[browser.self.Key] = true
			delete(n.clients, id)
		}
	}
	n.cutLocked(func(c *client) bool { return !c.native() })
	n.mu.Unlock()
	for _, k := range keys {
		c.expire(k, time.Now().Add(-time.Hour))
	}
}

// knows reports whether a node is one that hasn't been removed. One that has signed in anew may do so again.
func (c *Control) knows(node *tailcfg.Node) bool {
	if node == nil {
		return false
	}
	c.network.mu.Lock()
	removed, expired := c.network.removed[node.Key], c.network.expired[node.Key]
	c.network.mu.Unlock()
	if !removed && !expired && !node.KeyExpiry.IsZero() {
		c.expire(node.Key, time.Time{})
	}
	return !removed
}

// ExpireKeys lets the node keys of all browsers expire. If people have to sign in, control lets nobody in by such a key.
func (c *Control) ExpireKeys() {
	for _, k := range c.network.ExpireKeys() {
		if c.server.RequireAuth {
			c.expire(k, time.Now().Add(-time.Hour))
		}
	}
}

// expire sets until when the control server takes a key. It is what makes it ask for another one.
func (c *Control) expire(k key.NodePublic, when time.Time) {
	if node := c.server.Node(k); node != nil {
		node.KeyExpiry = when
		c.server.UpdateNode(node)
	}
}

// Browsers returns how many browsers follow the network.
func (n *Network) Browsers() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for s := range n.streams {
		if !s.client.native() {
			count++
		}
	}
	return count
}
