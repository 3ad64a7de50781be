//$ go get github.com/netmapcache/netmapcache/netmapcache github.com/netmapcache/netmapcache/store/idbstore
//$ GOOS=js GOARCH=wasm go build -o main.wasm .

package main

import (
	"context"
	"log"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/idbstore"
)

func main() {
	store, err := idbstore.Open(context.Background(), "network")
	if err != nil {
		log.Fatal(err)
	}
	log.Print(netmapcache.NewCache(store).Load(context.Background()))
}
