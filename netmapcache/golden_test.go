package netmapcache_test

import (
	"bytes"
	"embed"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/netmapcache/netmapcache/wasm/netmapjson"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

var makeGolden = flag.Bool("make-golden", false, "write testdata/golden anew, which a change of the format needs: see docs/format.md")

//go:embed testdata/golden
var golden embed.FS

// goldens are the netmaps of testdata/golden. Each is there as an exported file and as JSON.
var goldens = map[string]func() *netmap.NetworkMap{
	"least":   func() *netmap.NetworkMap { return &netmap.NetworkMap{SelfNode: (&tailcfg.Node{ID: 9, User: 1}).View()} },
	"small":   func() *netmap.NetworkMap { return netmaptest.Realistic(3, 1) },
	"parts":   func() *netmap.NetworkMap { return netmaptest.Realistic(120, 2) },
	"hostile": func() *netmap.NetworkMap { return netmaptest.HostileJSON(3) },
}

// TestGolden: this build reads what an earlier build wrote as the same netmap, and writes the same bytes for it.
func TestGolden(t *testing.T) {
	if *makeGolden {
		for name, make := range goldens {
			writeGolden(t, name, make())
		}
		t.Skip("testdata/golden was made anew: the next build has it")
	}
	for name := range goldens {
		t.Run(name, func(t *testing.T) {
			file, text := goldenFile(t, name+".netmap"), goldenFile(t, name+".json")
			before, after := memstore.New(), memstore.New()
			owner := netmapcache.WithOwner("golden")
			c := netmapcache.NewCache(before, owner)
			if err := c.Import(t.Context(), bytes.NewReader(file)); err != nil {
				t.Fatal(err)
			}
			nm, err := c.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			meant, err := netmapjson.Unmarshal(text)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := mustJSON(t, nm), mustJSON(t, meant); !bytes.Equal(got, want) {
				t.Errorf("loaded %s\nwant %s", got, want)
			}
			nm.Cached = false // else nothing would be stored
			mustStore(t, netmapcache.NewCache(after, owner), nm)
			keys := func(s netmapcache.Store) []string { return slices.Sorted(maps.Keys(contents(t, s))) }
			if got, want := keys(after), keys(before); !slices.Equal(got, want) { // they have the digests of the values
				t.Errorf("written as %v\nwant %v", got, want)
			}
		})
	}
}

func mustJSON(t *testing.T, nm *netmap.NetworkMap) []byte {
	t.Helper()
	plain := *nm
	plain.Cached = false
	text, err := netmapjson.Marshal(&plain)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func goldenFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := golden.ReadFile("testdata/golden/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeGolden(t *testing.T, name string, nm *netmap.NetworkMap) {
	t.Helper()
	clock := func() time.Time { return time.Date(2026, 7, 14, 9, 30, 15, 0, time.UTC) }
	c := netmapcache.NewCache(memstore.New(), netmapcache.WithClock(clock), netmapcache.WithOwner("golden"))
	mustStore(t, c, nm)
	var file bytes.Buffer
	if err := c.Export(t.Context(), &file); err != nil {
		t.Fatal(err)
	}
	for suffix, data := range map[string][]byte{".netmap": file.Bytes(), ".json": mustJSON(t, nm)} {
		if err := os.WriteFile(filepath.Join("testdata", "golden", name+suffix), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
