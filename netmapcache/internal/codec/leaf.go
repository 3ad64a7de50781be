package codec

import (
	"net/netip"
	"slices"

	"go4.org/mem"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/opt"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
)

// Keys and hashes are byte strings of their length.

const keyLen = 32

// beginBytes writes the head of a byte string of n bytes.
func (e *encoder) beginBytes(n int) { e.head(majorBytes, uint64(n)) }

func (e *encoder) nodeKeyField(num uint64, k key.NodePublic) {
	if !k.IsZero() {
		e.key(num)
		e.beginBytes(keyLen)
		e.buf = k.AppendTo(e.buf)
	}
}

func (e *encoder) machineKeyField(num uint64, k key.MachinePublic) {
	if !k.IsZero() {
		e.key(num)
		e.bytes(k.UntypedBytes())
	}
}

func (e *encoder) discoKeyField(num uint64, k key.DiscoPublic) {
	if !k.IsZero() {
		e.key(num)
		e.beginBytes(keyLen)
		e.buf = k.AppendTo(e.buf)
	}
}

func (e *encoder) aumHashField(num uint64, h tka.AUMHash) {
	if h != (tka.AUMHash{}) {
		e.key(num)
		e.bytes(h[:])
	}
}

func (e *encoder) digestField(num uint64, g format.Digest) {
	if g != (format.Digest{}) {
		e.key(num)
		e.bytes(g[:])
	}
}

// fixed reads a byte string of n bytes. It returns n zero bytes if it fails.
func (d *decoder) fixed(n int) string {
	s := d.byteString()
	if d.err == nil && len(s) != n {
		d.fail("byte string of wrong length")
	}
	if d.err != nil {
		return zeros[:n]
	}
	return s
}

var zeros = string(make([]byte, keyLen))

func (d *decoder) nodeKey(p *key.NodePublic) { *p = key.NodePublicFromRaw32(mem.S(d.fixed(keyLen))) }

func (d *decoder) machineKey(p *key.MachinePublic) {
	*p = key.MachinePublicFromRaw32(mem.S(d.fixed(keyLen)))
}

func (d *decoder) discoKey(p *key.DiscoPublic) {
	*p = key.DiscoPublicFromRaw32(mem.S(d.fixed(keyLen)))
}

func (d *decoder) aumHash(p *tka.AUMHash)  { copy(p[:], d.fixed(len(p))) }
func (d *decoder) digest(p *format.Digest) { copy(p[:], d.fixed(len(p))) }

// Addresses are byte strings as netip's MarshalBinary makes them: 4 bytes, 16 bytes, 16 bytes
// and a zone, or none for the zero Addr. In an AddrPort the port follows,
// in two bytes, little-endian. In a Prefix the number of bits follows, in one byte, or 255 if the prefix is invalid.

// shortBytes writes what f appends as a byte string. f must not fail. The string
// is mostly shorter than 24 bytes.
func (e *encoder) shortBytes(f func([]byte) ([]byte, error)) {
	at := len(e.buf)
	e.buf, _ = f(append(e.buf, majorBytes)) // netip's methods return no error
	n := len(e.buf) - at - 1
	if n < 24 {
		e.buf[at] |= byte(n)
		return
	}
	var head [9]byte
	e.buf = slices.Replace(e.buf, at, at+1, appendHead(head[:0], majorBytes, uint64(n))...)
}

func (e *encoder) addr(a netip.Addr)         { e.shortBytes(a.AppendBinary) }
func (e *encoder) addrPort(a netip.AddrPort) { e.shortBytes(a.AppendBinary) }
func (e *encoder) prefix(p netip.Prefix)     { e.shortBytes(p.AppendBinary) }

func (d *decoder) addr(p *netip.Addr) { *p = d.addrFrom(d.byteString()) }

func (d *decoder) addrFrom(s string) netip.Addr {
	switch {
	case len(s) == 0:
		return netip.Addr{}
	case len(s) == 4:
		return netip.AddrFrom4([4]byte{s[0], s[1], s[2], s[3]})
	case len(s) >= 16:
		var b [16]byte
		copy(b[:], s)
		return netip.AddrFrom16(b).WithZone(s[16:])
	}
	d.fail("address of wrong length")
	return netip.Addr{}
}

func (d *decoder) addrPort(p *netip.AddrPort) {
	s := d.byteString()
	n := len(s) - 2
	if n < 0 {
		d.fail("address and port of wrong length")
		return
	}
	*p = netip.AddrPortFrom(d.addrFrom(s[:n]), uint16(s[n])|uint16(s[n+1])<<8)
}

func (d *decoder) prefix(p *netip.Prefix) {
	s := d.byteString()
	n := len(s) - 1
	if n < 0 || n > 16 {
		d.fail("prefix of wrong length")
		return
	}
	a, bits := d.addrFrom(s[:n]), int(s[n])
	if bits > a.BitLen() && bits != invalidBits {
		d.fail("prefix of too many bits")
	}
	*p = netip.PrefixFrom(a, bits)
}

const invalidBits = 255

// samePrefixes reports whether a and b are equal in all respects.
func samePrefixes(a, b []netip.Prefix) bool {
	return (a == nil) == (b == nil) && slices.Equal(a, b)
}

// An opt.Bool is a bool, or a string if it is neither true nor false.

func (e *encoder) optBoolField(num uint64, v opt.Bool) {
	switch v {
	case opt.Empty:
	case opt.True, opt.False:
		e.key(num)
		e.bool(v == opt.True)
	default:
		e.stringField(num, string(v))
	}
}

func (d *decoder) optBool(p *opt.Bool) {
	switch d.peekMajor() {
	case majorText, majorBytes:
		*p = opt.Bool(d.string())
	default:
		*p = opt.NewBool(d.bool())
	}
}
