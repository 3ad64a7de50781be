//go:build !js

package ipncache_test

import (
	"fmt"
	"log"

	"github.com/netmapcache/netmapcache/client/ipncache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnlocal"
)

// A program registers ipncache once, for example in an init function. It keeps the netmap of each profile
// in the profile's directory, and is told when a backend has started from a cached netmap.
func ExampleRegister() {
	ipncache.Register(ipncache.Options{
		Open:   ipncache.ProfileDir,
		Always: true,
		OnEvent: func(_ *ipnlocal.LocalBackend, e ipncache.Event, err error) {
			if e == ipncache.Restored && err == nil {
				log.Print("started from the cached netmap")
			}
		},
	})
}

// A backend's own state can be kept in a store too.
func ExampleStateStore() {
	state := ipncache.StateStore(memstore.New())
	if err := state.WriteState("_machinekey", []byte("secret")); err != nil {
		log.Fatal(err)
	}
	value, err := state.ReadState("_machinekey")
	fmt.Println(string(value), err)
	_, err = state.ReadState("_profiles")
	fmt.Println(err == ipn.ErrStateNotExist)
	// Output:
	// secret <nil>
	// true
}
