//go:build !js

package netmapcache_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

// TestUpstreamBugs has what upstream's package, of tailscale.com v1.102.5, does to a
// netmap that it shouldn't. Each part shows it doing so first, and then that
// this package doesn't. If the former fails after an update, upstream was mended.
func TestUpstreamBugs(t *testing.T) {
	t.Run("killed in Store", testKilledInStore)
	t.Run("flipped bits", testFlippedBits)
	t.Run("peer without a node", testPeerWithoutNode)
	t.Run("dangling link", testDanglingLink)
	t.Run("file gone between List and Load", testGoneInBetween)
	t.Run("upper-case name", testUpperCaseName)
	t.Run("stray files", testStrayFiles)
	t.Run("self unreadable", testSelfUnreadable)
	t.Run("long stable ID", testLongStableID)
	t.Run("empty and equal stable IDs", testEqualStableIDs)
	t.Run("nil SSH policy", testNilSSHPolicy)
	t.Run("two caches", testTwoCaches)
	t.Run("column lost", testColumnLost)
	t.Run("filter and profile deltas", testDeltas)
	t.Run("disk full", testDiskFull)
}

// A saver is a Cache of either package.
type saver interface {
	Store(ctx context.Context, nm *netmap.NetworkMap) error
	UpdateSelfOnly(ctx context.Context, nm *netmap.NetworkMap) error
	Load(ctx context.Context) (*netmap.NetworkMap, error)
}

// fileOf returns the path of a key's file, which is the same for both packages.
func fileOf(dir, key string) string { return filepath.Join(dir, hex.EncodeToString([]byte(key))) }

// upstreamDir returns a directory in which upstream's package stored nm.
func upstreamDir(t *testing.T, nm *netmap.NetworkMap) string {
	t.Helper()
	dir := t.TempDir()
	must(t, upstream.NewCache(upstream.FileStore(dir)).Store(t.Context(), nm))
	return dir
}

// loadOrPanic calls Load of c and tells whether it panicked.
func loadOrPanic(t *testing.T, c saver) (nm *netmap.NetworkMap, err error, panicked bool) {
	defer func() { panicked = recover() != nil }()
	nm, err = c.Load(t.Context())
	return nm, err, false
}

// upstreamPanics checks that Load of upstream's package panics on a directory.
func upstreamPanics(t *testing.T, dir string) {
	t.Helper()
	if _, err, panicked := loadOrPanic(t, upstream.NewCache(upstream.FileStore(dir))); !panicked {
		t.Errorf("upstream doesn't panic any more, but reports %v", err)
	}
}

// dying is a store whose process dies before a given number of changes.
type dying struct {
	anyKeyStore
	left int
}

var errDead = errors.New("killed")

func (s *dying) Store(ctx context.Context, key string, value []byte) error {
	if s.left--; s.left < 0 {
		return errDead
	}
	return s.anyKeyStore.Store(ctx, key, value)
}

func (s *dying) Remove(ctx context.Context, key string) error {
	if s.left--; s.left < 0 {
		return errDead
	}
	return s.anyKeyStore.Remove(ctx, key)
}

func testKilledInStore(t *testing.T) {
	old := netmapcache.SmallForTest(1)
	next := netmapcache.SmallForTest(2)
	next.DNS.Domains = []string{"next.example.com"}
	// mixes returns how many of the points at which next can be cut short
	// leave a netmap that is neither old nor next.
	mixes := func(newCache func(netmapcache.Store) saver) (mixes, points int) {
		loaded := func(nm *netmap.NetworkMap) *netmap.NetworkMap {
			s := make(anyKeyStore)
			must(t, newCache(s).Store(t.Context(), nm))
			got, err := newCache(s).Load(t.Context())
			must(t, err)
			return got
		}
		wantOld, wantNext := loaded(old), loaded(next)
		for ; ; points++ {
			s := make(anyKeyStore)
			must(t, newCache(s).Store(t.Context(), old))
			err := newCache(&dying{s, points}).Store(t.Context(), next)
			got, loadErr := newCache(s).Load(t.Context())
			if loadErr != nil || netmaptest.Diff(got, wantOld) != "" && netmaptest.Diff(got, wantNext) != "" {
				mixes++
			}
			if err == nil {
				return mixes, points
			}
		}
	}
	if got, points := mixes(func(s netmapcache.Store) saver { return upstream.NewCache(s) }); got < points/2 {
		t.Errorf("upstream: %d mixes of %d points, half or more were expected", got, points)
	}
	// Over a Committer there is only one point. This is the worst case.
	got, points := mixes(func(s netmapcache.Store) saver { return netmapcache.NewCache(s) })
	if got != 0 {
		t.Errorf("%d mixes of %d points", got, points)
	}
}

func testFlippedBits(t *testing.T) {
	nm := netmapcache.SmallForTest(1)
	// flips loads with each bit of the value of a key flipped in turn.
	flips := func(s netmapcache.Store, prefix string, newCache func() saver) (different, panics, errs int) {
		k := key(t, s, prefix)
		value, err := s.Load(t.Context(), k)
		must(t, err)
		want, err := newCache().Load(t.Context())
		must(t, err)
		for i := 0; i < 8*len(value); i += 17 {
			flipped := slices.Clone(value)
			flipped[i/8] ^= 1 << (i % 8)
			must(t, s.Store(t.Context(), k, flipped))
			switch got, err, panicked := loadOrPanic(t, newCache()); {
			case panicked:
				panics++
			case err != nil:
				errs++
			case netmaptest.Diff(got, want) != "":
				different++
			}
		}
		return different, panics, errs
	}
	s := make(anyKeyStore)
	must(t, upstream.NewCache(s).Store(t.Context(), nm))
	if different, panics, _ := flips(s, "peer-", func() saver { return upstream.NewCache(s) }); different == 0 || panics == 0 {
		t.Errorf("upstream: %d other netmaps, %d panics; some of both were expected", different, panics)
	}
	s = make(anyKeyStore)
	mustStore(t, netmapcache.NewCache(s), nm)
	if different, panics, errs := flips(s, "peers-", func() saver { return netmapcache.NewCache(s) }); different+panics > 0 || errs == 0 {
		t.Errorf("%d other netmaps, %d panics, %d errors", different, panics, errs)
	}
}

func testPeerWithoutNode(t *testing.T) {
	dir := upstreamDir(t, netmapcache.SmallForTest(1))
	must(t, os.WriteFile(fileOf(dir, "peer-n1"), []byte("{}"), 0600))
	upstreamPanics(t, dir)
	if _, err := netmapcache.NewCache(netmapcache.FileStore(dir)).Load(t.Context()); !errors.Is(err, netmapcache.ErrCorrupt) {
		t.Errorf("Load: got %v, want %v", err, netmapcache.ErrCorrupt)
	}
}

func testDanglingLink(t *testing.T) {
	nm := netmapcache.SmallForTest(1)
	dir := upstreamDir(t, nm)
	if err := os.Symlink(filepath.Join(dir, "nowhere"), fileOf(dir, "peer-n1")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	upstreamPanics(t, dir)
	if got := mustLoad(t, netmapcache.NewCache(netmapcache.FileStore(dir))); len(got.Peers) != len(nm.Peers) {
		t.Errorf("got %d peers, want %d", len(got.Peers), len(nm.Peers))
	}

	// A column that is such a link is a lost one.
	dir = t.TempDir()
	s := netmapcache.FileStore(dir)
	mustStore(t, netmapcache.NewCache(s), nm)
	k := key(t, s, "peers-")
	must(t, os.Remove(fileOf(dir, k)))
	must(t, os.Symlink(filepath.Join(dir, "nowhere"), fileOf(dir, k)))
	if _, err := netmapcache.NewCache(s).Load(t.Context()); !errors.Is(err, netmapcache.ErrCorrupt) {
		t.Errorf("Load: got %v, want %v", err, netmapcache.ErrCorrupt)
	}
}

// vanishing is a store from which peers are removed once they were listed.
type vanishing struct{ anyKeyStore }

func (s vanishing) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for key, err := range s.anyKeyStore.List(ctx, prefix) {
			if strings.HasPrefix(key, "peer") {
				delete(s.anyKeyStore, key)
			}
			if !yield(key, err) {
				return
			}
		}
	}
}

func testGoneInBetween(t *testing.T) {
	nm := netmapcache.SmallForTest(1)
	filled := func() vanishing {
		s := make(anyKeyStore)
		must(t, upstream.NewCache(s).Store(t.Context(), nm))
		return vanishing{s}
	}
	if _, err, panicked := loadOrPanic(t, upstream.NewCache(filled())); !panicked {
		t.Errorf("upstream doesn't panic any more, but reports %v", err)
	}
	if got := mustLoad(t, netmapcache.NewCache(filled())); len(got.Peers) != 0 {
		t.Errorf("got %d peers of a directory that has lost them", len(got.Peers))
	}
}

func testUpperCaseName(t *testing.T) {
	nm := netmapcache.SmallForTest(1)
	dir := upstreamDir(t, nm)
	upper := filepath.Join(dir, strings.ToUpper(hex.EncodeToString([]byte("peer-nzzz"))))
	must(t, os.WriteFile(upper, []byte("{}"), 0600))
	if _, err := os.Stat(fileOf(dir, "peer-nzzz")); err == nil {
		t.Skip("the file system here doesn't tell upper from lower case")
	}
	upstreamPanics(t, dir)
	c := netmapcache.NewCache(netmapcache.FileStore(dir))
	if got := mustLoad(t, c); len(got.Peers) != len(nm.Peers) {
		t.Errorf("got %d peers, want %d", len(got.Peers), len(nm.Peers))
	}
	mustStore(t, c, nm)
	if _, err := os.Stat(upper); err != nil {
		t.Errorf("the foreign file: %v", err)
	}
}

func testStrayFiles(t *testing.T) {
	nm := netmapcache.SmallForTest(1)
	for _, name := range []string{".DS_Store", "x.json~", hex.EncodeToString([]byte("self")) + ".tmp1", "folder"} {
		makeStray := func(dir string) {
			path := filepath.Join(dir, name)
			if name == "folder" {
				must(t, os.Mkdir(path, 0700))
			} else {
				must(t, os.WriteFile(path, []byte("stray"), 0600))
			}
		}
		dir := upstreamDir(t, nm)
		makeStray(dir)
		theirs := upstream.NewCache(upstream.FileStore(dir))
		_, loadErr := theirs.Load(t.Context())
		if storeErr := theirs.Store(t.Context(), nm); loadErr == nil || storeErr == nil {
			t.Errorf("upstream with %s: Load: %v, Store: %v; errors were expected", name, loadErr, storeErr)
		}

		dir = t.TempDir()
		makeStray(dir)
		s := netmapcache.FileStore(dir)
		c := netmapcache.NewCache(s)
		mustStore(t, c, nm)
		checkLoad(t, c, s, nm)
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("the stray file: %v", err)
		}
	}
}

func testSelfUnreadable(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(fileOf(dir, "self"), 0700))
	var cause *fs.PathError
	if _, err := upstream.NewCache(upstream.FileStore(dir)).Load(t.Context()); err == nil || errors.As(err, &cause) {
		t.Errorf("upstream: got %v, an error that hides its cause was expected", err)
	}
	_, err := netmapcache.NewCache(netmapcache.FileStore(dir)).Load(t.Context())
	if !errors.As(err, &cause) || errors.Is(err, netmapcache.ErrCacheNotAvailable) {
		t.Errorf("Load: got %v, want the cause", err)
	}
}

func peerOf(id tailcfg.NodeID, stable string) tailcfg.NodeView {
	return (&tailcfg.Node{ID: id, StableID: tailcfg.StableNodeID(stable)}).View()
}

func testLongStableID(t *testing.T) {
	nm := netmapcache.SmallForTest(1)
	nm.Peers = []tailcfg.NodeView{peerOf(1, strings.Repeat("n", 123))}
	dir := t.TempDir()
	theirs := upstream.FileStore(dir)
	if err := upstream.NewCache(theirs).Store(t.Context(), nm); err == nil {
		t.Skip("file names may be longer here than upstream needs")
	}
	if got, err := upstream.NewCache(theirs).Load(t.Context()); err != nil || len(got.Peers) != 0 {
		t.Errorf("upstream: Load: %v, no error and no peers were expected", err)
	}
	s := netmapcache.FileStore(t.TempDir())
	c := netmapcache.NewCache(s)
	mustStore(t, c, nm)
	checkLoad(t, c, s, nm)
}

func testEqualStableIDs(t *testing.T) {
	nm := netmapcache.SmallForTest(1)
	nm.Peers = []tailcfg.NodeView{peerOf(1, ""), peerOf(2, ""), peerOf(3, "same"), peerOf(4, "same")}
	theirs := make(anyKeyStore)
	must(t, upstream.NewCache(theirs).Store(t.Context(), nm))
	if got, err := upstream.NewCache(theirs).Load(t.Context()); err != nil || len(got.Peers) != 2 {
		t.Errorf("upstream: Load: %v; 2 of 4 peers were expected to be left", err)
	}
	s := memstore.New()
	c := netmapcache.NewCache(s)
	mustStore(t, c, nm)
	checkLoad(t, c, s, nm)
}

func testNilSSHPolicy(t *testing.T) {
	nm := netmapcache.SmallForTest(1)
	without := *nm
	without.SSHPolicy = nil
	policy := func(c saver) *tailcfg.SSHPolicy {
		must(t, c.Store(t.Context(), nm))
		must(t, c.UpdateSelfOnly(t.Context(), &without))
		got, err := c.Load(t.Context())
		must(t, err)
		return got.SSHPolicy
	}
	if policy(upstream.NewCache(make(anyKeyStore))) == nil {
		t.Error("upstream: the policy is gone, the old one was expected")
	}
	if policy(netmapcache.NewCache(make(anyKeyStore))) != nil {
		t.Error("the old policy is still there")
	}
}

func testTwoCaches(t *testing.T) {
	one, two := netmapcache.SmallForTest(1), netmapcache.SmallForTest(2)
	// firstPeer returns the first peer that is cached after A v1, B v2, A v1.
	firstPeer := func(newCache func() saver) tailcfg.StableNodeID {
		a, b := newCache(), newCache()
		must(t, a.Store(t.Context(), one))
		must(t, b.Store(t.Context(), two))
		must(t, a.Store(t.Context(), one))
		got, err := newCache().Load(t.Context())
		must(t, err)
		if len(got.Peers) == 0 {
			return ""
		}
		return got.Peers[0].StableID()
	}
	theirs, ours := upstream.FileStore(t.TempDir()), netmapcache.FileStore(t.TempDir())
	want := one.Peers[0].StableID()
	if firstPeer(func() saver { return upstream.NewCache(theirs) }) == want {
		t.Error("upstream: the last Store took effect")
	}
	if firstPeer(func() saver { return netmapcache.NewCache(ours) }) != want {
		t.Error("the last Store took no effect")
	}
}

func testColumnLost(t *testing.T) {
	nm := netmapcache.SmallForTest(1)
	// peersAfter returns how many peers are cached after all columns of
	// peers were lost and the same netmap was stored again.
	peersAfter := func(s anyKeyStore, c saver) int {
		must(t, c.Store(t.Context(), nm))
		maps.DeleteFunc(s, func(key string, _ []byte) bool { return strings.HasPrefix(key, "peer") })
		must(t, c.Store(t.Context(), nm))
		got, err := c.Load(t.Context())
		must(t, err)
		return len(got.Peers)
	}
	theirs, ours := make(anyKeyStore), make(anyKeyStore)
	if n := peersAfter(theirs, upstream.NewCache(theirs)); n != 0 {
		t.Errorf("upstream: %d peers are back, none was expected", n)
	}
	if n := peersAfter(ours, netmapcache.NewCache(ours)); n != len(nm.Peers) {
		t.Errorf("got %d peers, want %d", n, len(nm.Peers))
	}
}

func testDeltas(t *testing.T) {
	type deltas interface {
		UpdateUserProfiles(context.Context, map[tailcfg.UserID]tailcfg.UserProfileView) error
		UpdatePacketFilter(context.Context, views.Slice[tailcfg.FilterRule]) error
	}
	if _, ok := any(upstream.NewCache(make(anyKeyStore))).(deltas); ok {
		t.Error("upstream has the methods now")
	}
	nm := netmapcache.SmallForTest(1)
	s := memstore.New()
	c := netmapcache.NewCache(s)
	mustStore(t, c, nm)
	rules := views.SliceOf(tailcfg.FilterAllowAll)
	added := (&tailcfg.UserProfile{ID: 77, LoginName: "new@example.com"}).View()
	var d deltas = c
	must(t, d.UpdatePacketFilter(t.Context(), rules))
	must(t, d.UpdateUserProfiles(t.Context(), map[tailcfg.UserID]tailcfg.UserProfileView{77: added}))
	want := *nm
	want.PacketFilterRules = rules
	want.UserProfiles = maps.Clone(nm.UserProfiles)
	want.UserProfiles[77] = added
	checkLoad(t, c, s, &want)
}

// full is a store on a full disk. As os.WriteFile, which upstream uses, it leaves
// an empty file.
type full struct{ anyKeyStore }

func (s full) Store(ctx context.Context, key string, value []byte) error {
	s.anyKeyStore.Store(ctx, key, nil)
	return fmt.Errorf("write: %w", syscall.ENOSPC)
}

// testDiskFull has our own files on a full disk only in so far as a column that was
// written in part does no harm. The tests of package filestore fill a real one.
func testDiskFull(t *testing.T) {
	old, next := netmapcache.SmallForTest(1), netmapcache.SmallForTest(2)
	store := func(s anyKeyStore, newCache func(netmapcache.Store) saver) error {
		must(t, newCache(s).Store(t.Context(), old))
		if err := newCache(full{s}).Store(t.Context(), next); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Store: got %v, want %v", err, syscall.ENOSPC)
		}
		_, err := newCache(s).Load(t.Context())
		return err
	}
	if err := store(make(anyKeyStore), func(s netmapcache.Store) saver { return upstream.NewCache(s) }); err == nil {
		t.Error("upstream: no error of Load, one was expected")
	}
	s := make(anyKeyStore)
	if err := store(s, func(s netmapcache.Store) saver { return netmapcache.NewCache(s) }); err != nil {
		t.Errorf("Load: %v", err)
	}
	if diff := netmaptest.Diff(mustLoad(t, netmapcache.NewCache(s)), expected(old)); diff != "" {
		t.Error(diff)
	}
}
