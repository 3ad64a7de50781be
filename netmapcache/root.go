package netmapcache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
)

// rootKey is the key of the root, the only key whose value ever changes. Upstream keeps
// the self node under the same key, so each package finds what the other stored.
const rootKey = "self"

// kindNames are the names of the kinds of columns in keys.
var kindNames = [...]string{
	format.KindNode:    "node",
	format.KindMisc:    "misc",
	format.KindDNS:     "dns",
	format.KindDERPMap: "derpmap",
	format.KindFilter:  "filter",
	format.KindSSH:     "ssh",
	format.KindPeers:   "peers",
	format.KindUsers:   "users",
}

// partitioned reports whether columns of kind k are parts of a list.
func partitioned(k format.Kind) bool {
	return k == format.KindPeers || k == format.KindUsers
}

// columnName returns the name of a column in keys and in errors:
// its kind, with the index of a part, as in "peers-1f".
func columnName(c format.Column) string {
	name := kindNames[c.Kind]
	if partitioned(c.Kind) {
		name += "-" + strconv.FormatUint(c.Part, 16)
	}
	return name
}

// columnKey returns the key of a column in the store.
func columnKey(c format.Column) string {
	key := append(make([]byte, 0, store.MaxKeyLen), columnName(c)...)
	return string(hex.AppendEncode(append(key, '.'), c.Digest[:]))
}

// isColumnKey reports whether columnKey can return key.
func isColumnKey(key string) bool {
	name, digest, ok := strings.Cut(key, ".")
	if !ok || len(digest) != 2*format.DigestLen || !isLowerHex(digest) {
		return false
	}
	kind, part, hasPart := strings.Cut(name, "-")
	for k, n := range kindNames {
		if n != "" && n == kind {
			return hasPart == partitioned(format.Kind(k)) && (!hasPart || isPart(part))
		}
	}
	return false
}

// isPart reports whether s is the index of a part, as columnName writes it.
func isPart(s string) bool {
	return len(s) > 0 && len(s) <= 16 && isLowerHex(s) && (s == "0" || s[0] != '0')
}

func isLowerHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

func digestOf(data []byte) format.Digest {
	sum := sha256.Sum256(data)
	return format.Digest(sum[:format.DigestLen])
}

// A sealed root is a CBOR array of two: the root, and the digest of
// all bytes of the value before the digest's own. Both heads are one byte.
const (
	sealHead       = 0x82                    // array of 2
	sealDigestHead = 0x40 | format.DigestLen // byte string
	sealTrailer    = 1 + format.DigestLen
)

// sealRoot returns the value to store for r.
func sealRoot(r *format.Root) []byte {
	value := append(codec.AppendRoot([]byte{sealHead}, r), sealDigestHead)
	digest := digestOf(value)
	return append(value, digest[:]...)
}

// openRoot is the reverse of sealRoot. Its errors satisfy ErrCorrupt or ErrFormat.
func openRoot(value []byte) (*format.Root, error) {
	body := len(value) - sealTrailer
	if body < 1 || value[0] != sealHead || value[body] != sealDigestHead {
		return nil, corrupt(rootKey, "not a root")
	}
	if digestOf(value[:body+1]) != format.Digest(value[body+1:]) {
		return nil, corrupt(rootKey, "digest differs")
	}
	header, err := codec.DecodeHeader(value[1:body])
	if err != nil {
		return nil, corruptBy(rootKey, err)
	}
	if header.Major > format.Major {
		return nil, fmt.Errorf("netmapcache: %q: format %d, this build reads up to %d: %w", rootKey, header.Major, format.Major, ErrFormat)
	}
	root, err := codec.DecodeRoot(value[1:body])
	if err != nil {
		return nil, corruptBy(rootKey, err)
	}
	if err := checkRoot(root); err != nil {
		return nil, err
	}
	return root, nil
}

// known reports whether this build knows columns of kind k.
func known(k format.Kind) bool { return int(k) < len(kindNames) }

// allColumns returns the columns that the root in value names, including those of kinds that a later version
// added. openRoot has accepted value.
func allColumns(value []byte) ([]format.Column, error) {
	root, err := codec.DecodeRoot(value[1 : len(value)-sealTrailer])
	if err != nil {
		return nil, corruptBy(rootKey, err)
	}
	return root.Columns, nil
}

// hasUnknownColumns reports whether the root in value names columns of kinds that this build doesn't know. openRoot has accepted value.
func hasUnknownColumns(value []byte) bool {
	columns, err := allColumns(value)
	return err != nil || slices.ContainsFunc(columns, func(c format.Column) bool { return !known(c.Kind) })
}

// checkRoot checks what the rest of the package relies on. It drops columns of kinds
// that a later version added.
func checkRoot(root *format.Root) error {
	if root.Major == 0 || !validParts(root.PeerParts) || !validParts(root.UserParts) {
		return corrupt(rootKey, "impossible values")
	}
	peers, users := uint64(1), uint64(1) // a list may be empty and have one part
	columns := root.Columns[:0]
	var last format.Column
	for _, c := range root.Columns {
		if !known(c.Kind) {
			continue
		}
		parts := uint64(1)
		switch c.Kind {
		case 0:
			parts = 0
		case format.KindPeers:
			parts = root.PeerParts
		case format.KindUsers:
			parts = root.UserParts
		}
		empty := partitioned(c.Kind) && c.Count == 0
		inOrder := c.Kind > last.Kind || c.Kind == last.Kind && c.Part > last.Part
		if c.Part >= parts || !inOrder || empty {
			return corrupt(rootKey, "columns out of place")
		}
		switch c.Kind {
		case format.KindPeers:
			peers += min(c.Count, maxParts)
		case format.KindUsers:
			users += min(c.Count, maxParts)
		}
		columns = append(columns, c)
		last = c
	}
	root.Columns = columns
	if root.PeerParts > peers || root.UserParts > users {
		return corrupt(rootKey, "more parts than elements")
	}
	if len(columns) == 0 || columns[0].Kind != format.KindNode {
		return corrupt(rootKey, "no self node")
	}
	if err := codec.CheckRoot(root); err != nil {
		return corruptBy(rootKey, err)
	}
	return nil
}
