package etcdstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/etcdstore"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// TestTooLarge: if a change exceeds a limit of the servers, the error says which limit, and nothing changes.
func TestTooLarge(t *testing.T) {
	client := connect(t, server(t))
	many := store.Change{Put: []store.Entry{{Key: "self", Value: []byte("new")}}}
	for i := range 200 {
		many.Put = append([]store.Entry{{Key: fmt.Sprint("k", i)}}, many.Put...)
	}
	large := store.Change{Put: []store.Entry{{Key: "k", Value: make([]byte, 1600<<10)}, {Key: "self", Value: []byte("new")}}}
	for _, tt := range []struct {
		name   string
		opts   []etcdstore.Option
		change store.Change
		want   error
		text   string
	}{
		{"value larger than a request", nil, large, nil, `store "k": value of 1638400 bytes doesn't fit into a request of 1572864 bytes`},
		{"limit of bytes said too high", []etcdstore.Option{etcdstore.WithMaxRequestBytes(2 << 20)}, large, rpctypes.ErrRequestTooLarge, "WithMaxRequestBytes"},
		{"limit of operations said too high", []etcdstore.Option{etcdstore.WithMaxOps(1000)}, many, rpctypes.ErrTooManyOps, "WithMaxOps"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			prefix := freshPrefix()
			if err := etcdstore.New(client, prefix).Store(t.Context(), "self", []byte("old")); err != nil {
				t.Fatal(err)
			}
			s := etcdstore.New(client, prefix, tt.opts...)
			err := s.Commit(t.Context(), tt.change)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v", err)
			}
			if strings.Contains(fmt.Sprint(err), "unknown") {
				t.Errorf("error %v, which is sure", err)
			}
			if got, err := s.Load(t.Context(), "self"); err != nil || string(got) != "old" {
				t.Errorf("Load = %q, %v", got, err)
			}
			if _, err := s.Load(t.Context(), "k"); !errors.Is(err, store.ErrKeyNotFound) {
				t.Errorf("Load of the entry: %v", err)
			}
		})
	}
}

// TestNoSpace: when the quota is used up, a cache reports that, keeps what is stored, and goes on once there is room.
func TestNoSpace(t *testing.T) {
	cfg := serverConfig(t)
	cfg.QuotaBackendBytes = 4 << 20
	client := connect(t, startServer(t, cfg))
	s := etcdstore.New(client, "/cache")
	cache := netmapcache.NewCache(s)
	last := netmaptest.Realistic(300, 0)
	if err := cache.Store(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	filler := etcdstore.New(client, "/filler")
	var err error
	for i := 0; err == nil; i++ {
		err = filler.Store(t.Context(), "k", bytes.Repeat([]byte{byte(i)}, 512<<10))
	}
	next := netmaptest.Realistic(300, 1)
	if err := cache.Store(t.Context(), next); !errors.Is(err, rpctypes.ErrNoSpace) || !strings.Contains(err.Error(), "quota") {
		t.Fatalf("error %v", err)
	}
	if _, err := cachetest.Loads(t.Context(), netmapcache.NewCache(s), last); err != nil {
		t.Error(err)
	}

	res, err := client.Get(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Compact(t.Context(), res.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Defragment(t.Context(), client.Endpoints()[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AlarmDisarm(t.Context(), &clientv3.AlarmMember{}); err != nil {
		t.Fatal(err)
	}
	if err := cachetest.Recovers(t.Context(), s, cache, next); err != nil {
		t.Error(err)
	}
}

// putKeys puts n keys, k00000 and those that follow.
func putKeys(t *testing.T, s *etcdstore.Store, n int) {
	t.Helper()
	var ch store.Change
	for i := range n {
		ch.Put = append(ch.Put, store.Entry{Key: fmt.Sprintf("k%05d", i)})
	}
	if err := s.Commit(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
}

// TestCompaction: a List whose revision is compacted between two pages goes on in the newest.
func TestCompaction(t *testing.T) {
	client := connect(t, server(t))
	s := etcdstore.New(client, freshPrefix())
	const keys = 4500
	putKeys(t, s, keys)
	n := 0
	for key, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatalf("after %d keys: %v", n, err)
		}
		if want := fmt.Sprintf("k%05d", n); key != want {
			t.Fatalf("key %q, want %q", key, want)
		}
		if n++; n != 10 {
			continue
		}
		res, err := client.Put(t.Context(), freshPrefix(), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Compact(t.Context(), res.Header.Revision); err != nil {
			t.Fatal(err)
		}
	}
	if n != keys {
		t.Errorf("%d keys, want %d", n, keys)
	}
}

// TestListOneRevision: the pages of a List are of one revision.
func TestListOneRevision(t *testing.T) {
	s := etcdstore.New(connect(t, server(t)), freshPrefix())
	putKeys(t, s, 2500)
	n := 0
	for _, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			if err := s.Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "k99999"}}, Remove: []string{"k02400"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n != 2500 {
		t.Errorf("%d keys, want the 2500 of when it began", n)
	}
}

// TestUsers: the password renews an expired token. Without permission, or without a user, the error gives the cause.
func TestUsers(t *testing.T) {
	cfg := serverConfig(t)
	cfg.AuthTokenTTL = 1
	address := startServer(t, cfg)
	admin := connect(t, address)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	permission := clientv3.PermissionType(clientv3.PermReadWrite)
	for _, name := range []string{"root", "node", "stranger"} {
		_, err := admin.UserAdd(t.Context(), name, "secret")
		must(err)
		_, err = admin.RoleAdd(t.Context(), name)
		must(err)
		_, err = admin.UserGrantRole(t.Context(), name, name)
		must(err)
	}
	_, err := admin.RoleGrantPermission(t.Context(), "node", "/cache/", clientv3.GetPrefixRangeEnd("/cache/"), permission)
	must(err)
	_, err = admin.AuthEnable(t.Context())
	must(err)

	as := func(user, password string) *etcdstore.Store {
		return etcdstore.New(connectAs(t, clientv3.Config{Endpoints: []string{address}, Username: user, Password: password}), "/cache")
	}
	s := as("node", "secret")
	nm := netmaptest.Realistic(300, 1)
	must(netmapcache.NewCache(s).Store(t.Context(), nm))
	<-time.After(3 * time.Second) // until the token has expired, which only time makes happen
	if _, err := cachetest.Loads(t.Context(), netmapcache.NewCache(s), nm); err != nil {
		t.Errorf("with an expired token: %v", err)
	}
	must(netmapcache.NewCache(s).Store(t.Context(), netmaptest.Realistic(300, 2)))

	for name, tt := range map[string]struct {
		store *etcdstore.Store
		want  error
	}{
		"no permission": {as("stranger", "secret"), rpctypes.ErrPermissionDenied},
		"no user":       {etcdstore.New(admin, "/cache"), rpctypes.ErrUserEmpty},
	} {
		for op, call := range calls(tt.store) {
			if err := call(t.Context()); !errors.Is(err, tt.want) || strings.Contains(fmt.Sprint(err), "unknown") {
				t.Errorf("%s, %s: %v", name, op, err)
			}
		}
		if _, err := netmapcache.NewCache(tt.store).Load(t.Context()); !errors.Is(err, tt.want) || errors.Is(err, netmapcache.ErrCacheNotAvailable) {
			t.Errorf("%s, Load of a cache: %v", name, err)
		}
	}
	_, err = clientv3.New(clientv3.Config{Endpoints: []string{address}, Username: "node", Password: "wrong", Context: context.Background()})
	if !errors.Is(err, rpctypes.ErrAuthFailed) {
		t.Errorf("wrong password: %v", err)
	}
}
