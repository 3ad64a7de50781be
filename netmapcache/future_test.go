//go:build !js

package netmapcache_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// TestFuture: fields that the table lacks are stored, loaded, exported and noticed like others. There are such fields in
// the build of tools/versionstest, with the tailscale.com that tools/future makes. That build leaves an exported snapshot in
// the file that FUTURE names. Today's build reads it, without the fields.
func TestFuture(t *testing.T) {
	ctx := t.Context()
	file := os.Getenv("FUTURE")
	plain := netmaptest.Realistic(60, 1)
	nm := netmaptest.Realistic(60, 1)
	fields := netmaptest.FillFuture(rand.New(rand.NewPCG(1, 'f')), nm)
	t.Logf("fields of the future: %q", fields)
	if len(fields) == 0 {
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return // nothing of a future to read, in a build of today
		}
		must(t, err)
		c := netmapcache.NewCache(memstore.New())
		must(t, c.Import(ctx, bytes.NewReader(data)))
		loads(t, c, plain)
		return
	}
	for _, typ := range []string{"tailcfg.Node", "tailcfg.Hostinfo", "tailcfg.NetInfo", "tailcfg.Service", "tailcfg.DERPRegion",
		"tailcfg.DERPNode", "tailcfg.FilterRule", "tailcfg.SSHRule", "tailcfg.DNSConfig", "tailcfg.UserProfile", "netmap.NetworkMap"} {
		if !strings.Contains(strings.Join(fields, " "), typ+".FutureText") {
			t.Errorf("%s has no field of the future", typ)
		}
	}

	s := memstore.New()
	c := netmapcache.NewCache(s)
	must(t, c.Store(ctx, nm))
	loads(t, c, nm)
	loads(t, netmapcache.NewCache(s), nm)

	var exported bytes.Buffer
	must(t, c.Export(ctx, &exported))
	other := netmapcache.NewCache(memstore.New())
	must(t, other.Import(ctx, bytes.NewReader(exported.Bytes())))
	loads(t, other, nm)

	// A change of a field of the future alone.
	text := func(v any, to string) { reflect.ValueOf(v).Elem().FieldByName("FutureText").SetString(to) }
	peer := nm.Peers[7].AsStruct()
	text(peer, "changed")
	nm.Peers[7] = peer.View()
	must(t, c.UpdatePeers(ctx, []tailcfg.NodeView{peer.View()}, nil))
	loads(t, netmapcache.NewCache(s), nm)
	for _, change := range []func(*netmap.NetworkMap){
		func(nm *netmap.NetworkMap) { text(nm, "changed") },
		func(nm *netmap.NetworkMap) { text(&nm.DNS, "changed") },
		func(nm *netmap.NetworkMap) { text(nm.SSHPolicy.Rules[0], "changed") },
		func(nm *netmap.NetworkMap) {
			self := nm.SelfNode.AsStruct()
			text(self, "changed")
			nm.SelfNode = self.View()
		},
	} {
		next := *nm
		next.SSHPolicy = nm.SSHPolicy.Clone()
		change(&next)
		must(t, c.Store(ctx, &next))
		loads(t, netmapcache.NewCache(s), &next)
		nm = &next
	}
	if file != "" {
		must(t, os.WriteFile(file, exported.Bytes(), 0o600))
	}
}

// loads checks that c loads want, except for what can't be kept.
func loads(t *testing.T, c *netmapcache.Cache, want *netmap.NetworkMap) {
	t.Helper()
	got, err := c.Load(t.Context())
	must(t, err)
	loaded := *want
	loaded.Cached = true
	if diff := netmaptest.Diff(got, &loaded); diff != "" {
		t.Error(diff)
	}
}
