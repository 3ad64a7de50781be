//$ go get github.com/netmapcache/netmapcache/netmapcache github.com/netmapcache/netmapcache/store/etcdstore
//$ go build -o service .

package main

import (
	"context"
	"log"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func main() {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"127.0.0.1:2379"}})
	if err != nil {
		log.Fatal(err)
	}
	log.Print(netmapcache.NewCache(etcdstore.New(client, "/netmaps")).Load(context.Background()))
}
