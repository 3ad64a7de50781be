package etcdstore_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"github.com/netmapcache/netmapcache/store/storetest"
)

var prefixes atomic.Int64

// freshPrefix returns a prefix under which nothing is.
func freshPrefix() string { return fmt.Sprintf("/test/%d/%d", os.Getpid(), prefixes.Add(1)) }

// A placed store is one of which the prefix is known.
type (
	inner  = *etcdstore.Store // embedded under its own name, it would hide the method Store
	placed struct {
		inner
		prefix string
	}
)

// TestConformance runs the suite with the servers' own limits, and with limits by which nearly every change
// takes several transactions.
func TestConformance(t *testing.T) {
	client := connected(t)
	for name, tt := range map[string]struct {
		large int
		opts  []etcdstore.Option
	}{
		"default": {1 << 20, nil},
		"small":   {90 << 10, []etcdstore.Option{etcdstore.WithMaxOps(4), etcdstore.WithMaxRequestBytes(100 << 10)}},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.Store {
				prefix := freshPrefix()
				return placed{etcdstore.New(client, prefix, tt.opts...), prefix}
			}, storetest.Options{
				LargeValue: tt.large,
				Reopen: func(t *testing.T, s store.Store) store.Store {
					prefix := s.(placed).prefix
					return placed{etcdstore.New(client, prefix, tt.opts...), prefix}
				},
			})
		})
	}
}
