package codec

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
)

// Bounds for decoding. They keep a few hostile bytes from filling the memory, and lie far above what control planes
// send: 100,000 peers, ten times as many as tailscale.com's own tests of large networks have, are 60 MB in 512 columns, with one
// map in 50 bytes. The JavaScript reader has the same bounds, so none depends on the sizes of Go's types.
const (
	// MaxBytes is the length in bytes of the longest column, or root, that is decoded.
	MaxBytes = 64 << 20

	// A value of n bytes may have slackMaps + n/bytesPerMap maps: all structs, and the maps among their fields. A map takes at most some
	// 600 bytes of memory, including what refers to it. Everything else takes at most 64 bytes for each byte.
	slackMaps   = 1 << 16
	bytesPerMap = 4

	// Peers and users are in many columns, each of which may have slackMaps. So there is a bound for all of them. A peer counts as peerBytes and a
	// user as userBytes. If their columns have n bytes, the root may count at most memberSlack + memberPerByte*n bytes.
	memberSlack   = 32 << 20
	memberPerByte = 64
	peerBytes     = 1 << 10
	userBytes     = 1 << 8
)

var (
	errTooLong = fmt.Errorf("longer than %d bytes", MaxBytes)
	errMaps    = errors.New("too many maps for its length")
	errMembers = errors.New("too many peers or users for their length")
	errCount   = errors.New("count differs")
)

// maxMaps returns how many maps a value of n bytes may have.
func maxMaps(n int) int { return slackMaps + n/bytesPerMap }

// CheckRoot reports an error if r counts more peers and users than the size of its columns justifies.
func CheckRoot(r *format.Root) error {
	limit, need := uint64(memberSlack), uint64(0)
	for _, c := range r.Columns {
		if c.Size > MaxBytes || c.Count > c.Size { // each value takes at least a byte
			return errCount
		}
		switch c.Kind {
		case format.KindPeers:
			need += c.Count * peerBytes
		case format.KindUsers:
			need += c.Count * userBytes
		default:
			continue
		}
		limit += c.Size * memberPerByte
	}
	if need > limit {
		return errMembers
	}
	return nil
}

// CheckCount reports an error if data, the bytes of column c, has another number of values than c says. It
// reads only the first few bytes.
func CheckCount(c format.Column, data []byte) error {
	count := uint64(1)
	switch c.Kind {
	case format.KindFilter, format.KindPeers, format.KindUsers:
		d := decoder{s: string(data[:min(len(data), maxHeaderBytes)])}
		count = d.head(majorArray, "array")
		if d.err != nil {
			return d.err
		}
	}
	if count != c.Count {
		return errCount
	}
	return nil
}

// Check reports why data, a column of kind that was encoded here, couldn't be decoded: it is too large, or it has a value that JSON
// can't express. For nearly all data Check only counts bytes.
func Check(kind format.Kind, data []byte) error {
	if len(data) <= MaxBytes && mapHeads(data) <= maxMaps(len(data)) && !bytes.Contains(data, noJSONEncoded) {
		return nil
	}
	var err error
	switch kind {
	case format.KindNode:
		_, err = DecodeNode(data)
	case format.KindMisc:
		_, err = DecodeMisc(data)
	case format.KindDNS:
		_, err = DecodeDNS(data)
	case format.KindDERPMap:
		_, err = DecodeDERPMap(data)
	case format.KindFilter:
		_, err = DecodeFilter(data)
	case format.KindSSH:
		_, err = DecodeSSH(data)
	case format.KindPeers:
		_, err = DecodePeers(data)
	case format.KindUsers:
		_, err = DecodeUsers(data)
	}
	return err
}

var noJSONEncoded = append([]byte{majorText | byte(len(noJSON))}, noJSON...)

// mapHeads returns how many bytes of data look like the head of a map. There are no more maps than that.
func mapHeads(data []byte) int {
	n := 0
	for _, b := range data {
		if b&0xe0 == majorMap {
			n++
		}
	}
	return n
}
