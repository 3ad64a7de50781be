//go:build linux

package powercut

import (
	"context"
	"sync"
	"time"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/types/netmap"
)

// A script is a sequence of calls on a Cache with some options.
type script struct {
	cachetest.Script
	options []netmapcache.Option
	noted   map[int]bool // the steps that may return before what they changed is committed
}

// snapshot returns the one that is cached after n steps, or the other.
func (s script) snapshot(n int) *netmap.NetworkMap {
	if n == other {
		return cachetest.Other()
	}
	if n == len(s.Steps) {
		return s.Steps[n-1].Want
	}
	return s.Before(n)
}

// scripts returns the scripts by their names.
var scripts = sync.OnceValue(func() map[string]script {
	all := make(map[string]script)
	for _, s := range cachetest.Scripts() {
		all[s.Name] = script{Script: s}
		if s.Name == "session" {
			all["session behind"] = behind(s, time.Millisecond, len(s.Steps))
			all["session behind, in threes"] = behind(s, time.Hour, 3)
		}
	}
	return all
})

// behind is a script with [netmapcache.WithWriteBehind] of that delay, and a Flush after each n steps.
func behind(s cachetest.Script, delay time.Duration, n int) script {
	steps := s.Steps
	s.Steps = nil
	noted := make(map[int]bool)
	for i, step := range steps {
		noted[len(s.Steps)] = step.Name != "Clear"
		s.Steps = append(s.Steps, step)
		if (i+1)%n == 0 {
			flush := func(ctx context.Context, c *netmapcache.Cache) error { return c.Flush(ctx) }
			s.Steps = append(s.Steps, cachetest.Step{Name: "Flush", Call: flush, Want: step.Want})
		}
	}
	onError := func(err error) { panic(err) } // which ends the process of the machine
	return script{s, []netmapcache.Option{netmapcache.WithWriteBehind(delay, onError)}, noted}
}
