// Command diskless is a service on a tailnet that keeps nothing on the machine it runs on: its Tailscale state and its
// netmap are in etcd, sealed, so that etcd's operator can read neither. Killed and started elsewhere while control is
// down it is the same node, and its peers reach it.
//
//	go build -tags ts_omit_cachenetmap .
//	SEAL_KEY=$(openssl rand -hex 32) TS_AUTHKEY=... ./diskless -etcd 127.0.0.1:2379 -hostname web-1
//
// The key has to be the same wherever the service starts; a secret of the cluster is where to keep it.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/netmapcache/netmapcache/client/ipncache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"github.com/netmapcache/netmapcache/store/sealed"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnlocal"
	"tailscale.com/tsnet"
)

func main() {
	endpoints := flag.String("etcd", "127.0.0.1:2379", "addresses of etcd's servers, separated by commas")
	control := flag.String("control", "", "URL of the control server (default: Tailscale's)")
	hostname := flag.String("hostname", "diskless", "name of the node; each has a prefix of its own in etcd")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*endpoints, ","), *control, *hostname); err != nil {
		log.Fatal(err)
	}
}

// etcdTimeout bounds how long a start waits for a server that doesn't answer.
const etcdTimeout = 5 * time.Second

// run serves until ctx ends. What is pending of the netmap is saved then.
func run(ctx context.Context, endpoints []string, control, hostname string) error {
	key, err := hex.DecodeString(os.Getenv("SEAL_KEY"))
	if err != nil || len(key) != sealed.KeySize {
		return fmt.Errorf("SEAL_KEY has to be %d bytes in hexadecimal; openssl rand -hex %[1]d makes one", sealed.KeySize)
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: etcdTimeout, Logger: zap.NewNop()})
	if err != nil {
		return fmt.Errorf("connect to etcd: %w", err)
	}
	defer client.Close()
	open := func(part string) (store.Store, error) {
		prefix := "/tailnet/" + hostname + "/" + part
		return sealed.New(etcdstore.New(client, prefix, etcdstore.WithTimeout(etcdTimeout)), key)
	}

	state, err := open("state")
	if err != nil {
		return err
	}
	// Not until etcd answers: without its state the node would join as a new one.
	if _, err := state.Load(ctx, string(ipn.MachineKeyStateKey)); err != nil && !errors.Is(err, store.ErrKeyNotFound) {
		return fmt.Errorf("read the node's state: %w", err)
	}
	ipncache.Register(ipncache.Options{
		Open: func(_ context.Context, _ *ipnlocal.LocalBackend, profile ipn.ProfileID) (store.Store, error) {
			return open("netmap/" + string(profile))
		},
		Always:  true,
		OnEvent: func(_ *ipnlocal.LocalBackend, e ipncache.Event, err error) { log.Println("netmap", e, err) },
	})

	// Tailscale wants a directory for what need not last.
	dir, err := os.MkdirTemp("", "diskless")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	srv := &tsnet.Server{Dir: dir, Store: ipncache.StateStore(state), ControlURL: control, Hostname: hostname}
	defer srv.Close()
	if _, err := srv.Up(ctx); err != nil {
		return err
	}
	ln, err := srv.Listen("tcp", ":80")
	if err != nil {
		return err
	}
	log.Println("serving")
	go func() {
		<-ctx.Done()
		ln.Close()
	}()
	err = http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "served by", hostname) }))
	if ctx.Err() != nil {
		return nil
	}
	return err
}
