package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"tailscale.com/types/netmap"
)

// makeCertificate makes a certificate for this machine, which is its own authority.
func makeCertificate(t *testing.T) transport.TLSInfo {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	dir := t.TempDir()
	info := transport.TLSInfo{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	check(t, os.WriteFile(info.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	check(t, os.WriteFile(info.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return info
}

// startEtcd starts a server with TLS that demands a user. It returns the server's address and the file of its certificate.
func startEtcd(t *testing.T) (address, certificate string) {
	t.Helper()
	cfg := embed.NewConfig()
	cfg.Dir = t.TempDir()
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	cfg.UnsafeNoFsync = true
	cfg.ClientTLSInfo = makeCertificate(t)
	for scheme, urls := range map[string][2]*[]url.URL{
		"https": {&cfg.ListenClientUrls, &cfg.AdvertiseClientUrls},
		"http":  {&cfg.ListenPeerUrls, &cfg.AdvertisePeerUrls},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		u := []url.URL{{Scheme: scheme, Host: l.Addr().String()}}
		*urls[0], *urls[1] = u, u
		l.Close()
	}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	check(t, err)
	t.Cleanup(e.Close)
	<-e.Server.ReadyNotify()

	address, certificate = cfg.ListenClientUrls[0].Host, cfg.ClientTLSInfo.CertFile
	secure, err := transport.TLSInfo{TrustedCAFile: certificate}.ClientConfig()
	check(t, err)
	admin, err := clientv3.New(clientv3.Config{Endpoints: []string{"https://" + address}, TLS: secure, Logger: zap.NewNop()})
	check(t, err)
	defer admin.Close()
	_, err = admin.UserAdd(t.Context(), "root", "secret")
	check(t, err)
	_, err = admin.RoleAdd(t.Context(), "root")
	check(t, err)
	_, err = admin.UserGrantRole(t.Context(), "root", "root")
	check(t, err)
	_, err = admin.AuthEnable(t.Context())
	check(t, err)
	return address, certificate
}

// storeFleet lets nodes that share columns store a netmap each.
func storeFleet(t *testing.T, address, certificate string, netmaps map[string]*netmap.NetworkMap) {
	secure, err := transport.TLSInfo{TrustedCAFile: certificate}.ClientConfig()
	check(t, err)
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{"https://" + address}, TLS: secure, Username: "root", Password: "secret", Logger: zap.NewNop()})
	check(t, err)
	defer client.Close()
	for node, nm := range netmaps {
		s, err := etcdstore.Shared(client, "/fleet", node, time.Hour)
		check(t, err)
		check(t, netmapcache.NewCache(s).Store(t.Context(), nm))
	}
}

// TestEtcd: a prefix in etcd works like a directory. Flags and environment set TLS and users.
func TestEtcd(t *testing.T) {
	address, certificate := startEtcd(t)
	source := "etcd://" + address + "/tailnet/node"
	another := makeCertificate(t).CertFile
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "file.netmap")
	check(t, netmapcache.NewCache(netmapcache.FileStore(dir)).Store(t.Context(), netmaptest.Realistic(30, 1)))
	fleet := "etcd://" + address + "/fleet?node="
	storeFleet(t, address, certificate, map[string]*netmap.NetworkMap{"a": netmaptest.Realistic(30, 1), "b": netmaptest.Realistic(20, 1)})
	t.Setenv("ETCDCTL_CACERT", certificate)
	t.Setenv("ETCDCTL_USER", "root:secret")
	for _, tt := range []struct {
		args   []string
		status int
		prints string // on either output
	}{
		{[]string{"info", source}, 3, "nothing is stored"},
		{[]string{"import", dir, source}, 0, ""},
		{[]string{"info", source}, 0, "30 "},
		{[]string{"verify", source}, 0, ""},
		{[]string{"peers", "--json", source}, 0, "StableID"},
		{[]string{"diff", dir, source}, 0, ""},
		{[]string{"import", dir, source}, 2, "use --yes"},
		{[]string{"import", "--yes", dir, source}, 0, ""},
		{[]string{"export", source, file}, 0, ""},
		{[]string{"diff", file, source}, 0, ""},
		{[]string{"info", "--etcd-user", "root:wrong", source}, 2, "authentication failed"},
		{[]string{"info", "--etcd-cacert", file + ".none", source}, 2, "no such file"},
		{[]string{"info", "--etcd-cacert", another, source}, 2, "failed to verify certificate"},
		{[]string{"info", "etcd://" + address}, 2, "want etcd://HOST:PORT/PREFIX"},
		{[]string{"info", "etcd://root:secret@" + address + "/x"}, 2, "--etcd-user"},
		{[]string{"info", fleet + "a"}, 0, "30 "},
		{[]string{"diff", dir, fleet + "b"}, 1, "UserProfiles"},
		{[]string{"info", fleet + "c"}, 3, "nothing is stored"},
		{[]string{"info", strings.TrimSuffix(fleet, "node=")}, 2, "PREFIX?node=NODE"},
		{[]string{"import", "--yes", dir, fleet + "a"}, 2, "only the node itself"},
		{[]string{"clear", "--yes", fleet + "a"}, 0, ""},
		{[]string{"info", fleet + "a"}, 3, "nothing is stored"},
		{[]string{"verify", fleet + "b"}, 0, ""},
		{[]string{"clear", "--yes", source}, 0, ""},
		{[]string{"clear", "--yes", source}, 3, "nothing to clear"},
	} {
		var out, errs bytes.Buffer
		status := run(t.Context(), tt.args, strings.NewReader(""), &output{bufio.NewWriter(&out), 0}, &errs)
		if status != tt.status || !strings.Contains(out.String()+errs.String(), tt.prints) {
			t.Errorf("%q: exit status %d, want %d and %q:\n%s%s", tt.args, status, tt.status, tt.prints, out.String(), errs.String())
		}
	}
}
