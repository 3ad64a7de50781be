package netmapcache

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/tailcfg"
)

func TestColumnKeys(t *testing.T) {
	const digest = "000102030405060708090a0b0c0d0e0f"
	var d format.Digest
	for i := range d {
		d[i] = byte(i)
	}
	for want, c := range map[string]format.Column{
		"node." + digest:        {Kind: format.KindNode, Digest: d},
		"derpmap." + digest:     {Kind: format.KindDERPMap, Digest: d},
		"peers-0." + digest:     {Kind: format.KindPeers, Digest: d},
		"users-fffff." + digest: {Kind: format.KindUsers, Part: maxParts - 1, Digest: d},
	} {
		if got := columnKey(c); got != want || !isColumnKey(got) || !store.ValidKey(got) {
			t.Errorf("columnKey: got %q, want %q", got, want)
		}
	}
	for _, key := range []string{
		"", "self", "node", "node.", "node." + digest[1:], "node." + digest + "0", "node." + strings.ToUpper(digest),
		"." + digest, "-." + digest, "other." + digest, "node-0." + digest, "peers." + digest, "peers-." + digest,
		"peers-00." + digest, "peers-0A." + digest, "peers-0-0." + digest, "peer-0." + digest, "node." + digest + ".x",
	} {
		if isColumnKey(key) {
			t.Errorf("isColumnKey(%q) is true", key)
		}
	}
}

func TestOpenRoot(t *testing.T) {
	column := func(kind format.Kind, part uint64) format.Column {
		return format.Column{Kind: kind, Part: part, Digest: format.Digest{byte(kind), byte(part)}, Size: 1, Count: 1}
	}
	node := column(format.KindNode, 0)
	tests := []struct {
		name string
		root format.Root
		want error
	}{
		{"least", format.Root{Major: 1, Columns: []format.Column{node}}, nil},
		{"parts", format.Root{Major: 1, PeerParts: 2, Columns: []format.Column{node, column(format.KindPeers, 0), column(format.KindPeers, 1)}}, nil},
		{"empty part", format.Root{Major: 1, PeerParts: 2, Columns: []format.Column{node, column(format.KindPeers, 1)}}, nil},
		{"one empty part", format.Root{Major: 1, PeerParts: 1, UserParts: 1, Columns: []format.Column{node}}, nil},
		{"more parts than peers", format.Root{Major: 1, PeerParts: 4, Columns: []format.Column{node, column(format.KindPeers, 1)}}, ErrCorrupt},
		{"more parts than users", format.Root{Major: 1, PeerParts: 1, UserParts: 4, Columns: []format.Column{node, column(format.KindUsers, 1)}}, ErrCorrupt},
		{"later kind", format.Root{Major: 1, Columns: []format.Column{node, column(77, 3), column(78, 0)}}, nil},
		{"no columns", format.Root{Major: 1}, ErrCorrupt},
		{"no node", format.Root{Major: 1, Columns: []format.Column{column(format.KindMisc, 0)}}, ErrCorrupt},
		{"no version", format.Root{Columns: []format.Column{node}}, ErrCorrupt},
		{"later version", format.Root{Major: 2}, ErrFormat},
		{"parts not a power of two", format.Root{Major: 1, PeerParts: 3, Columns: []format.Column{node}}, ErrCorrupt},
		{"too many parts", format.Root{Major: 1, UserParts: 1 << 40, Columns: []format.Column{node}}, ErrCorrupt},
		{"part too high", format.Root{Major: 1, PeerParts: 4, Columns: []format.Column{node, column(format.KindPeers, 4)}}, ErrCorrupt},
		{"part of no list", format.Root{Major: 1, Columns: []format.Column{node, column(format.KindPeers, 0)}}, ErrCorrupt},
		{"part of a single", format.Root{Major: 1, Columns: []format.Column{node, column(format.KindMisc, 1)}}, ErrCorrupt},
		{"column twice", format.Root{Major: 1, Columns: []format.Column{node, node}}, ErrCorrupt},
		{"columns in disorder", format.Root{Major: 1, Columns: []format.Column{node, column(format.KindDNS, 0), column(format.KindMisc, 0)}}, ErrCorrupt},
		{"kind 0", format.Root{Major: 1, Columns: []format.Column{column(0, 0), node}}, ErrCorrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := openRoot(sealRoot(&tt.root)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestRootDamage checks that no damaged root opens.
func TestRootDamage(t *testing.T) {
	value := sealRoot(&format.Root{Major: 1, Owner: "owner", Columns: []format.Column{{Kind: format.KindNode, Size: 10, Count: 1}}})
	for n := range value {
		if _, err := openRoot(value[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("truncated to %d bytes: got %v, want %v", n, err, ErrCorrupt)
		}
		for bit := range 8 {
			damaged := slices.Clone(value)
			damaged[n] ^= 1 << bit
			if _, err := openRoot(damaged); !errors.Is(err, ErrCorrupt) {
				t.Errorf("bit %d of byte %d flipped: got %v, want %v", bit, n, err, ErrCorrupt)
			}
		}
	}
}

func TestPartsFor(t *testing.T) {
	tests := []struct {
		n    int
		old  uint64
		want uint64
	}{
		{0, 0, 1}, {1, 0, 1}, {48, 0, 1}, {49, 0, 2}, {96, 0, 2}, {97, 0, 4}, {1000, 0, 32},
		{10_000, 0, 128}, {50_000, 0, 512}, {6000, 64, 64}, {10_000, 64, 128}, {10_000, 256, 256}, {10_000, 32, 128}, {10_000, 512, 128},
		{0, 1, 1}, {96, 1, 1}, {97, 1, 4},
		{24, 2, 2}, {23, 2, 1}, {192, 2, 2}, {193, 2, 8},
		{0, 256, 1},
	}
	for _, tt := range tests {
		if got := partsFor(tt.n, 48, tt.old); got != tt.want || !validParts(got) {
			t.Errorf("partsFor(%d, %d) = %d, want %d", tt.n, tt.old, got, tt.want)
		}
	}
}

// TestParts checks that elements are spread evenly, whatever their IDs look like.
func TestParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n, parts = 1 << 15, 1 << 9 // 64 to a part
	hashes := map[string]func(i int) uint64{
		"user IDs in turn": func(i int) uint64 { return userHash(tailcfg.UserID(i)) },
		"user IDs, spaced": func(i int) uint64 { return userHash(tailcfg.UserID(i << 20)) },
		"user IDs, random": func(int) uint64 { return userHash(tailcfg.UserID(rng.Uint64())) },
		"stable IDs":       func(i int) uint64 { return peerHash(tailcfg.StableNodeID(stableID(rng))) },
	}
	for name, hash := range hashes {
		var count [parts]int
		for i := range n {
			count[hash(i)%parts]++
		}
		if most := slices.Max(count[:]); most > 128 {
			t.Errorf("%s: %d in one part, where the mean is %d", name, most, n/parts)
		}
	}
}

// stableID returns a stable ID of the form that Tailscale's control plane gives.
func stableID(rng *rand.Rand) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	id := []byte("n")
	for range 11 {
		id = append(id, alphabet[rng.IntN(len(alphabet))])
	}
	return string(id) + "CNTRL"
}

// TestPartHashes are the vectors of docs/format.md.
func TestPartHashes(t *testing.T) {
	for id, want := range map[tailcfg.StableNodeID]uint64{"": 0xcbf29ce44fd0bfc1, "nABC123CNTRL": 0x067e4ea93b0105b3, "é": 0x0ac21707bdda0906} {
		if got := peerHash(id); got != want {
			t.Errorf("stable ID %q: %#016x, want %#016x", id, got, want)
		}
	}
	for id, want := range map[tailcfg.UserID]uint64{0: 0xa8c7f83280ddc1f7, 1: 0x89cd312994e7de8d, -1: 0x8cf51a8b705692b6, 4814224793237: 0x87a9f1b16a28695d} {
		if got := userHash(id); got != want {
			t.Errorf("user ID %d: %#016x, want %#016x", id, got, want)
		}
	}
}
