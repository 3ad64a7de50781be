//$ go get github.com/netmapcache/netmapcache/netmapcache
//$ go run .

package main

import (
	"context"
	"errors"
	"log"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
)

func main() {
	cache := netmapcache.NewCache(memstore.New())
	if _, err := cache.Load(context.Background()); !errors.Is(err, netmapcache.ErrEmpty) {
		log.Fatalf("load of an empty store: %v", err)
	}
}
