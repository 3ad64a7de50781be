//go:build !js

package netmapcache_test

import (
	"testing"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/plainstore"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// TestFaults makes every operation on a store fail, in each call of a Cache.
func TestFaults(t *testing.T) {
	open := func() (*memstore.Store, cachetest.Faulty) {
		s := memstore.New()
		return s, cachetest.Faulty{Store: s, Sweeps: true, Arm: func(hook func(done bool) error) {
			s.Before, s.After = nil, nil
			if hook != nil {
				s.Before = func(op, key string) error { return hook(false) }
				s.After = func(op, key string) error { return hook(true) }
			}
		}}
	}
	t.Run("atomic store", func(t *testing.T) {
		cachetest.Faults(t, 2, func() cachetest.Faulty { _, f := open(); return f })
	})
	t.Run("write-behind", func(t *testing.T) {
		cachetest.Faults(t, 5, func() cachetest.Faulty {
			_, f := open()
			f.Behind = true
			return f
		})
	})
	t.Run("plain store", func(t *testing.T) {
		cachetest.Faults(t, 7, func() cachetest.Faulty {
			s, f := open()
			f.Store, f.Sweeps = plainstore.New(s), false
			return f
		})
	})
}
