package etcdstore_test

import (
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// freeURL returns the URL of a port of this machine that nobody listens on.
func freeURL(t testing.TB) url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return url.URL{Scheme: "http", Host: l.Addr().String()}
}

// serverConfig is that of a server of its own, which doesn't sync its files.
func serverConfig(t testing.TB) *embed.Config {
	cfg := embed.NewConfig()
	dir, err := os.MkdirTemp("", "etcdstore")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cfg.Dir = dir
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	cfg.UnsafeNoFsync = true
	client, peer := freeURL(t), freeURL(t)
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.TickMs, cfg.ElectionMs = 50, 500
	return cfg
}

// startServer starts a server in this process, and returns its address.
func startServer(t testing.TB, cfg *embed.Config) string {
	t.Helper()
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	select {
	case <-e.Server.ReadyNotify():
	case <-time.After(time.Minute):
		t.Fatal("the server doesn't get ready")
	}
	return cfg.AdvertiseClientUrls[0].Host
}

// connect returns a client of a server, or of several.
func connect(t testing.TB, addresses ...string) *clientv3.Client {
	t.Helper()
	return connectAs(t, clientv3.Config{Endpoints: addresses})
}

// connected returns a client of the server that most tests share, which has all its goroutines: storetest counts those.
func connected(t testing.TB) *clientv3.Client {
	t.Helper()
	client := connect(t, server(t))
	if _, err := client.Get(t.Context(), "/"); err != nil {
		t.Fatal(err)
	}
	return client
}

func connectAs(t testing.TB, cfg clientv3.Config) *clientv3.Client {
	t.Helper()
	cfg.Logger = zap.NewNop()
	client, err := clientv3.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

var sharedServer struct {
	once    sync.Once
	address string
	close   func()
}

// server returns the address of the server that most tests share: one in this process, or that of the environment variable
// ETCDSTORE_SERVER.
func server(t testing.TB) string {
	t.Helper()
	if address := os.Getenv("ETCDSTORE_SERVER"); address != "" {
		return address
	}
	sharedServer.once.Do(func() {
		outlasting := &outlasting{TB: t}
		sharedServer.address = startServer(outlasting, serverConfig(outlasting))
		sharedServer.close = outlasting.close
	})
	return sharedServer.address
}

// outlasting is a test whose cleanup waits until all tests have run.
type outlasting struct {
	testing.TB
	cleanups []func()
}

func (o *outlasting) Cleanup(f func()) { o.cleanups = append(o.cleanups, f) }

func (o *outlasting) close() {
	for len(o.cleanups) > 0 {
		last := len(o.cleanups) - 1
		o.cleanups[last]()
		o.cleanups = o.cleanups[:last]
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if sharedServer.close != nil {
		sharedServer.close()
	}
	os.Exit(code)
}

var clientPrefix, clientCount = clientv3.WithPrefix(), clientv3.WithCountOnly()
