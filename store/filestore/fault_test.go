//go:build !js

package filestore_test

import (
	"testing"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/store/filestore"
)

// TestFaults makes every operation on the file system fail, in each call of a Cache.
func TestFaults(t *testing.T) {
	cachetest.Faults(t, 11, func() cachetest.Faulty {
		disk := filestore.NewDisk()
		return cachetest.Faulty{Store: disk.Store(), Sweeps: true, Arm: func(hook func(done bool) error) {
			disk.Hook = nil
			if hook != nil {
				disk.Hook = func(op string, done bool) error {
					if done && !changes[op] {
						return nil
					}
					return hook(done)
				}
			}
		}}
	})
}
