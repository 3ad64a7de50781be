package netmapcache_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// TestImportPlaces: a file has one value for each column that its root names, in the root's order, and nothing else.
func TestImportPlaces(t *testing.T) {
	source := netmapcache.NewCache(memstore.New())
	mustStore(t, source, netmaptest.Realistic(3, 1))
	values, err := codec.DecodeExported(export(t, source))
	must(t, err)
	for name, values := range map[string][][]byte{
		"the root alone":      values[:1],
		"one too few":         values[:len(values)-1],
		"one too many":        append(slices.Clone(values), values[len(values)-1]),
		"two exchanged":       slices.Concat(values[:1], values[2:3], values[1:2], values[3:]),
		"one in two places":   slices.Concat(values[:2], values[1:2], values[3:]),
		"without the root":    values[1:],
		"the root once again": slices.Concat(values[:1], values),
	} {
		c := netmapcache.NewCache(memstore.New())
		if err := c.Import(t.Context(), bytes.NewReader(codec.AppendExported(nil, values))); !errors.Is(err, netmapcache.ErrCorrupt) {
			t.Errorf("%s: got %v, want %v", name, err, netmapcache.ErrCorrupt)
		}
	}
}

// TestOfAnotherPart: Load refuses a peer or user in another part than its hash says, so one value can't stand for several columns.
func TestOfAnotherPart(t *testing.T) {
	id := 1
	for netmapcache.UserPart(id, 2) != 0 {
		id++
	}
	stableID := "a"
	for netmapcache.PeerPart(stableID, 2) != 0 {
		stableID += "a"
	}
	peer := "\x81\xa1\x02" + string([]byte{0x60 | byte(len(stableID))}) + stableID // [{StableID: …}]
	user := "\x81\xa2\x01" + string([]byte{byte(id)}) + "\x02\xa0"                 // [{ID: …, Profile: {}}]
	for _, tt := range []struct {
		name    string
		root    format.Root
		columns []hostileColumn
	}{
		{"peers", format.Root{PeerParts: 2}, []hostileColumn{hostileNode, {format.KindPeers, 0, 1, peer}, {format.KindPeers, 1, 1, peer}}},
		{"users", format.Root{UserParts: 2}, []hostileColumn{hostileNode, {format.KindUsers, 0, 1, user}, {format.KindUsers, 1, 1, user}}},
	} {
		for n, want := range map[int]error{2: nil, 3: netmapcache.ErrCorrupt} {
			s := memstore.New()
			fillHostile(t, s, tt.root, tt.columns[:n])
			if _, err := netmapcache.NewCache(s).Load(t.Context()); !errors.Is(err, want) || want != nil && !strings.Contains(err.Error(), "of another part") {
				t.Errorf("%d parts of %s: got %v, want %v", n-1, tt.name, err, want)
			}
		}
	}
}

// TestImportReadsNoMore: Import reads at most 512 MiB of an endless file.
func TestImportReadsNoMore(t *testing.T) {
	if !torture.Long() || runtime.GOOS == "js" {
		t.Skip("takes over a GB of memory: not without TORTURE, and not in a browser")
	}
	r := &endless{}
	if err := netmapcache.NewCache(memstore.New()).Import(t.Context(), r); !errors.Is(err, netmapcache.ErrCorrupt) {
		t.Errorf("got %v, want %v", err, netmapcache.ErrCorrupt)
	}
	if r.read != 512<<20+1 {
		t.Errorf("%d bytes were read", r.read)
	}
}

type endless struct{ read int }

func (r *endless) Read(p []byte) (int, error) {
	r.read += len(p)
	if r.read > 1<<30 {
		return 0, io.ErrUnexpectedEOF
	}
	return len(p), nil
}
