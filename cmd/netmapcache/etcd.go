package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// etcdTimeout is how long a server may take to answer.
const etcdTimeout = 10 * time.Second

// etcdFlags are the flags for sources in etcd. Each has a default from an environment variable, which is
// etcdctl's.
var etcdFlags = []struct{ name, variable, usage string }{
	{"etcd-user", "ETCDCTL_USER", "user of etcd, as NAME:PASSWORD"},
	{"etcd-cacert", "ETCDCTL_CACERT", "file of the authorities that sign the certificates of etcd's servers"},
	{"etcd-cert", "ETCDCTL_CERT", "file of the certificate to show to etcd"},
	{"etcd-key", "ETCDCTL_KEY", "file of the key of that certificate"},
}

func addEtcdFlags(cmd *cobra.Command) {
	for _, f := range etcdFlags {
		cmd.PersistentFlags().String(f.name, "", fmt.Sprintf("%s (default: $%s)", f.usage, f.variable))
	}
}

// isEtcd reports whether name stands for a source in etcd rather than for a file.
func isEtcd(name string) bool {
	return strings.HasPrefix(name, "etcd://") || strings.HasPrefix(name, "etcds://")
}

// openEtcd opens the source etcd://HOST:PORT[,HOST:PORT...]/PREFIX[?node=NODE], where NODE is one of a fleet that shares columns
// under the prefix. The scheme etcds:// demands TLS even without flags.
func openEtcd(cmd *cobra.Command, name string) (*source, error) {
	scheme, rest, _ := strings.Cut(name, "://")
	hosts, path, _ := strings.Cut(rest, "/")
	prefix, query, inFleet := strings.Cut(path, "?")
	node, isNode := strings.CutPrefix(query, "node=")
	if hosts == "" || prefix == "" || strings.Contains(hosts, "@") || inFleet && (!isNode || node == "") {
		return nil, fmt.Errorf("%s: want etcd://HOST:PORT/PREFIX, or .../PREFIX?node=NODE for a fleet; give a user by --etcd-user", name)
	}
	values := make(map[string]string)
	for _, f := range etcdFlags {
		given, err := cmd.Flags().GetString(f.name)
		if err != nil {
			return nil, err
		}
		values[f.name] = cmp.Or(given, os.Getenv(f.variable))
	}
	cfg := clientv3.Config{
		Endpoints:   strings.Split(hosts, ","),
		DialTimeout: etcdTimeout,
		Context:     cmd.Context(),
		Logger:      zap.NewNop(),
	}
	if user := values["etcd-user"]; user != "" {
		cfg.Username, cfg.Password, _ = strings.Cut(user, ":")
	}
	secure := transport.TLSInfo{TrustedCAFile: values["etcd-cacert"], CertFile: values["etcd-cert"], KeyFile: values["etcd-key"]}
	if scheme == "etcds" || !secure.Empty() || secure.TrustedCAFile != "" {
		var err error
		if cfg.TLS, err = secure.ClientConfig(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := checkTLS(cmd.Context(), cfg.Endpoints, cfg.TLS); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for i, host := range cfg.Endpoints {
			cfg.Endpoints[i] = "https://" + host
		}
	}
	client, err := clientv3.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// The connection ends with the process.
	var s store.Store = etcdstore.New(client, "/"+prefix, etcdstore.WithTimeout(etcdTimeout))
	if inFleet {
		// The life doesn't matter, since nothing is put and no lease is made.
		if s, err = etcdstore.Shared(client, "/"+prefix, node, time.Hour, etcdstore.WithTimeout(etcdTimeout)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return &source{name: name, inFleet: inFleet, store: s, cache: netmapcache.NewCache(s)}, nil
}

// checkTLS reports why no host can be reached by TLS, or nil if one can. If
// a certificate is wrong, the client would keep trying, and then report only that the time is over.
func checkTLS(ctx context.Context, hosts []string, cfg *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, etcdTimeout)
	defer cancel()
	var all error
	for _, host := range hosts {
		conn, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", host)
		if err == nil {
			return conn.Close()
		}
		all = errors.Join(all, fmt.Errorf("%s: %w", host, err))
	}
	return all
}
