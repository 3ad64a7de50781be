//$ go get github.com/netmapcache/netmapcache/client/ipncache
//$ go get .
//$ go build -tags ts_omit_cachenetmap -o node .

package main

import (
	"log"

	"github.com/netmapcache/netmapcache/client/ipncache"
	"tailscale.com/tsnet"
)

func main() {
	ipncache.Register(ipncache.Options{Open: ipncache.ProfileDir, Always: true})
	log.Fatal(new(tsnet.Server).Start())
}
