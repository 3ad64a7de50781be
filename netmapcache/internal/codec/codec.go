// Package codec encodes the columns and the root of a snapshot as CBOR
// (RFC 8949) and decodes them. docs/format.cddl specifies the bytes.
//
// Structs are maps from small numbers to values. Fields with their Go zero value are
// left out. The numbers are in fields.txt, from which package gen
// makes the encoder, the decoder and the CDDL. A number never changes its
// meaning, and a decoder skips numbers that it doesn't know.
//
// The encoding is core deterministic (RFC 8949, section 4.2.1): equal values
// give equal bytes. Decoded values refer to the bytes that they were decoded from, which must
// not change afterwards. All functions are safe for concurrent use.
package codec

//go:generate go run ./gen

import (
	"runtime"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
)

// DecodeHeader returns what every version of the root has in common. data begins with the
// root's map. DecodeHeader reads only what it must, neither the other fields nor what follows.
func DecodeHeader(data []byte) (format.Header, error) {
	d := decoder{s: string(data[:min(len(data), maxHeaderBytes)])}
	var h format.Header
	n := d.head(majorMap, "map")
	if n == 0 || d.head(majorUint, "unsigned integer as field number") != 1 {
		d.fail("no major version")
	}
	h.Major = d.uint(64)
	if d.err != nil {
		return format.Header{}, &Error{Where: "root", Err: d.err}
	}
	return h, nil
}

// maxHeaderBytes suffices for the head of a map and an entry with an integer
// key and value. Major has the smallest key and comes first.
const maxHeaderBytes = 32

// AppendRoot appends the encoding of r to dst.
func AppendRoot(dst []byte, r *format.Root) []byte {
	e := newEncoder(dst)
	e.formatRoot(r)
	return e.done()
}

// DecodeRoot decodes what [AppendRoot] encoded.
func DecodeRoot(data []byte) (*format.Root, error) {
	return decodeOne(data, (*decoder).formatRoot)
}

// AppendNode appends the encoding of n, which must be valid, to dst.
func AppendNode(dst []byte, n tailcfg.NodeView) []byte {
	e := newEncoder(dst)
	e.tailcfgNode(structOf(n))
	return e.done()
}

// DecodeNode decodes what [AppendNode] encoded.
func DecodeNode(data []byte) (*tailcfg.Node, error) {
	return decodeOne(data, (*decoder).tailcfgNode)
}

// AppendMisc appends the encoding of m to dst.
func AppendMisc(dst []byte, m *format.Misc) []byte {
	e := newEncoder(dst)
	e.formatMisc(m)
	return e.done()
}

// DecodeMisc decodes what [AppendMisc] encoded.
func DecodeMisc(data []byte) (*format.Misc, error) {
	return decodeOne(data, (*decoder).formatMisc)
}

// AppendDNS appends the encoding of c to dst.
func AppendDNS(dst []byte, c *tailcfg.DNSConfig) []byte {
	e := newEncoder(dst)
	e.tailcfgDNSConfig(c)
	return e.done()
}

// DecodeDNS decodes what [AppendDNS] encoded.
func DecodeDNS(data []byte) (*tailcfg.DNSConfig, error) {
	return decodeOne(data, (*decoder).tailcfgDNSConfig)
}

// AppendDERPMap appends the encoding of m, which must not be nil, to dst.
func AppendDERPMap(dst []byte, m *tailcfg.DERPMap) []byte {
	e := newEncoder(dst)
	e.tailcfgDERPMap(m)
	return e.done()
}

// DecodeDERPMap decodes what [AppendDERPMap] encoded.
func DecodeDERPMap(data []byte) (*tailcfg.DERPMap, error) {
	return decodeOne(data, (*decoder).tailcfgDERPMap)
}

// AppendFilter appends the encoding of rules, in their order, to dst.
func AppendFilter(dst []byte, rules []tailcfg.FilterRule) []byte {
	e := newEncoder(dst)
	e.array(len(rules))
	for i := range rules {
		e.tailcfgFilterRule(&rules[i])
	}
	return e.done()
}

// DecodeFilter decodes what [AppendFilter] encoded. Without an error the result is
// not nil.
func DecodeFilter(data []byte) ([]tailcfg.FilterRule, error) {
	return decodeAllOf(data, "filter", (*decoder).tailcfgFilterRule)
}

// AppendSSH appends the encoding of p, which must not be nil, to dst.
func AppendSSH(dst []byte, p *tailcfg.SSHPolicy) []byte {
	e := newEncoder(dst)
	e.tailcfgSSHPolicy(p)
	return e.done()
}

// DecodeSSH decodes what [AppendSSH] encoded.
func DecodeSSH(data []byte) (*tailcfg.SSHPolicy, error) {
	return decodeOne(data, (*decoder).tailcfgSSHPolicy)
}

// AppendPeers appends the encoding of peers, in their order, to dst. All of
// them must be valid.
func AppendPeers(dst []byte, peers []tailcfg.NodeView) []byte {
	e := newEncoder(dst)
	e.array(len(peers))
	for _, p := range peers {
		n := structOf(p)
		if runtime.GOARCH != "wasm" { // wasm code is downloaded and should be small
			e.touchTailcfgNode(n)
		}
		e.tailcfgNode(n)
	}
	return e.done()
}

// DecodePeers decodes what [AppendPeers] encoded. No element is nil.
func DecodePeers(data []byte) ([]*tailcfg.Node, error) {
	return decodeAll(data, "peers", func(d *decoder) []*tailcfg.Node {
		list := makeList[*tailcfg.Node](d)
		for i := range list {
			if d.err != nil {
				break
			}
			d.toCome = len(list) - i
			list[i] = newFrom(d, &d.nodes)
			if list[i] != nil {
				d.tailcfgNode(list[i])
			}
		}
		return list
	})
}

// AppendUsers appends to dst the encoding of the profiles of ids, in the order
// of ids. If an ID has no profile, or an invalid one, its Profile
// is decoded as nil.
func AppendUsers(dst []byte, ids []tailcfg.UserID, profiles map[tailcfg.UserID]tailcfg.UserProfileView) []byte {
	e := newEncoder(dst)
	e.array(len(ids))
	for _, id := range ids {
		e.formatUser(&format.User{ID: id, Profile: structOf(profiles[id])})
	}
	return e.done()
}

// DecodeUsers decodes what [AppendUsers] encoded.
func DecodeUsers(data []byte) ([]format.User, error) {
	return decodeAllOf(data, "users", (*decoder).formatUser)
}
