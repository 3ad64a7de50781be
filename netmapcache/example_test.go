//go:build !js

package netmapcache_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/netmapcache/netmapcache/store/sealed"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// peer returns a peer such as control sends.
func peer(id tailcfg.NodeID, name string) tailcfg.NodeView {
	return (&tailcfg.Node{ID: id, StableID: tailcfg.StableNodeID(fmt.Sprintf("n%d", id)), Name: name + ".example.ts.net."}).View()
}

// fromControl returns a netmap such as control sends.
func fromControl() *netmap.NetworkMap {
	return &netmap.NetworkMap{
		SelfNode: (&tailcfg.Node{ID: 1, StableID: "n1", User: 100, Name: "laptop.example.ts.net."}).View(),
		Peers:    []tailcfg.NodeView{peer(2, "server"), peer(3, "phone")},
	}
}

// A client starts from the netmap that its last run has stored.
func Example() {
	dir, err := os.MkdirTemp("", "netmap")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	for run := 1; run <= 2; run++ {
		cache := netmapcache.NewCache(netmapcache.FileStore(dir), netmapcache.WithOwner("https://control.example.com"))
		nm, err := cache.Load(ctx)
		switch {
		case errors.Is(err, netmapcache.ErrCacheNotAvailable):
			fmt.Println("run", run, "starts with nothing")
		case err != nil:
			log.Fatal(err) // the store can't be read
		default:
			fmt.Println("run", run, "starts with", len(nm.Peers), "peers")
		}

		if err := cache.Store(ctx, fromControl()); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// run 1 starts with nothing
	// run 2 starts with 2 peers
}

// An update changes what it names in whatever netmap is stored.
func ExampleCache_UpdatePeers() {
	ctx := context.Background()
	cache := netmapcache.NewCache(memstore.New())
	if err := cache.Store(ctx, fromControl()); err != nil {
		log.Fatal(err)
	}
	err := cache.UpdatePeers(ctx, []tailcfg.NodeView{peer(4, "tablet")}, []tailcfg.StableNodeID{"n3"})
	if err != nil {
		log.Fatal(err)
	}
	nm, err := cache.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range nm.Peers {
		fmt.Println(p.StableID(), p.Name())
	}
	// Output:
	// n2 server.example.ts.net.
	// n4 tablet.example.ts.net.
}

// A client that must not wait for its disk lets the cache commit changes in the background.
func ExampleWithWriteBehind() {
	ctx := context.Background()
	cache := netmapcache.NewCache(memstore.New(),
		netmapcache.WithWriteBehind(5*time.Second, func(err error) { log.Print("not saved yet: ", err) }),
		netmapcache.WithCommitInterval(30*time.Second),
		netmapcache.WithTrace(&netmapcache.Trace{Committed: func(i netmapcache.CommitInfo) {
			fmt.Println(i.Calls, "calls in one commit")
		}}))
	for _, err := range []error{
		cache.Store(ctx, fromControl()),
		cache.UpdatePeers(ctx, []tailcfg.NodeView{peer(4, "tablet")}, nil),
		cache.Close(ctx), // at shutdown
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 2 calls in one commit
}

// A snapshot that hasn't been confirmed for too long is refused.
func ExampleWithMaxAge() {
	ctx := context.Background()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	cache := netmapcache.NewCache(memstore.New(),
		netmapcache.WithMaxAge(180*24*time.Hour),
		netmapcache.WithClock(func() time.Time { return now }))
	if err := cache.Store(ctx, fromControl()); err != nil {
		log.Fatal(err)
	}
	now = now.AddDate(1, 0, 0)
	_, err := cache.Load(ctx)
	fmt.Println(errors.Is(err, netmapcache.ErrExpired))
	// Output:
	// true
}

// A snapshot moves between stores as one file.
func ExampleCache_Export() {
	ctx := context.Background()
	cache := netmapcache.NewCache(memstore.New())
	if err := cache.Store(ctx, fromControl()); err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := cache.Export(ctx, &file); err != nil {
		log.Fatal(err)
	}

	other := netmapcache.NewCache(memstore.New())
	if err := other.Import(ctx, &file); err != nil {
		log.Fatal(err)
	}
	info, err := other.Info(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Peers, "peers")
	// Output:
	// 2 peers
}

// A sealed store encrypts what it keeps.
func Example_sealed() {
	ctx := context.Background()
	key := sha256.Sum256([]byte("a key that the system's key store keeps"))
	store, err := sealed.New(memstore.New(), key[:])
	if err != nil {
		log.Fatal(err)
	}
	cache := netmapcache.NewCache(store)
	if err := cache.Store(ctx, fromControl()); err != nil {
		log.Fatal(err)
	}
	nm, err := cache.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(nm.SelfNode.Name())
	// Output:
	// laptop.example.ts.net.
}
