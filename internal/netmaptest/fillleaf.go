package netmaptest

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"tailscale.com/types/opt"
)

func (f *filler) time() time.Time {
	zones := []*time.Location{time.UTC, time.FixedZone("", 0), time.FixedZone("CEST", 2*3600), time.FixedZone("", -(9*3600 + 30*60)), time.FixedZone("", 23*3600+59*60)}
	instants := []int64{
		0, 1, -1, 1<<32 - 1, 1 << 32, 1_760_000_000, 1_700_000_000,
		zeroSeconds + 86400,
		-62167132800, // a day after the year 0 begins
		253402214400, // a day before the year 9999 ends
	}
	nanos := []int64{0, 1, 999_999_999, 123_456_789, 500_000_000, 1_000_000}
	if f.json {
		// The zero instant at another offset isn't used, since omitzero drops it.
		if f.oneIn(4) {
			return time.Time{}
		}
	} else {
		zones = append(zones, time.FixedZone("LMT", 1172), time.FixedZone("", -1), time.FixedZone("", 24*3600), time.FixedZone("", -100*3600))
		instants = append(instants, zeroSeconds, zeroSeconds-1, -377705116801, 253402300800, math.MinInt32, math.MaxInt32, 1<<53+1, -1<<53-1, 1<<60, -1<<60)
		if f.oneIn(8) {
			return time.Time{}
		}
		if f.oneIn(8) {
			return time.Time{}.In(pick(f, zones))
		}
	}
	return time.Unix(pick(f, instants), pick(f, nanos)).In(pick(f, zones))
}

// zeroSeconds is the zero time.Time in seconds since 1970.
const zeroSeconds = -62135596800

func (f *filler) addr() netip.Addr {
	edges := []string{"0.0.0.0", "127.0.0.1", "255.255.255.255", "100.64.0.1", "::", "::1", "fd7a:115c:a1e0::53", "::ffff:1.2.3.4", "::1.2.3.4", "fe80::1%eth0", "fe80::1%25", "::ffff:1.2.3.4%en0", "ff02::1%µ"}
	if !f.json && f.oneIn(8) {
		return netip.MustParseAddr("fe80::2").WithZone("\xff zone")
	}
	switch f.IntN(8) {
	case 0:
		return netip.Addr{}
	case 1, 2:
		return netip.MustParseAddr(pick(f, edges))
	case 3, 4, 5:
		var a [4]byte
		f.bytes(a[:])
		return netip.AddrFrom4(a)
	}
	var a [16]byte
	f.bytes(a[:])
	return netip.AddrFrom16(a)
}

func (f *filler) addrPort() netip.AddrPort {
	a, port := f.addr(), uint16(f.int(16))
	if f.json && !a.IsValid() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, port)
}

func (f *filler) prefix() netip.Prefix {
	a := f.addr()
	switch {
	case !a.IsValid():
		return netip.Prefix{}
	case !f.json && f.oneIn(8):
		return netip.PrefixFrom(a, -1) // invalid, though it has an address
	case f.oneIn(4):
		return netip.PrefixFrom(a.WithZone(""), a.BitLen())
	}
	return netip.PrefixFrom(a.WithZone(""), f.IntN(a.BitLen()+1))
}

func (f *filler) bytes(b []byte) {
	for i := range b {
		b[i] = byte(f.Uint32N(256))
	}
}

// optBool returns an optional boolean.
func (f *filler) optBool() opt.Bool {
	vals := []opt.Bool{opt.Empty, opt.True, opt.False, opt.ExplicitlyUnset}
	if !f.json && f.oneIn(8) {
		return "perhaps"
	}
	return pick(f, vals)
}

func (f *filler) rawMessage() string {
	if !f.json && f.oneIn(3) {
		return pick(f, []string{"", "{", `"\xff"`, "\xff\xfe", " { } ", "[1,\n 2]", `"<&>"`, "nul", `{"a":1,"a":2}`, "1e999", "\x00"})
	}
	return pick(f, []string{
		"null", "true", "0", "-0.0", "1E400", "9007199254740993", `""`, `"text"`, `"\u0000\ud800"`, `"é😀"`, "[]", "{}", "[null,[[]]]",
		`{"b":1,"a":[1.50,2e3]}`, `{"shares":["*"],"access":"rw"}`, `{"a":1,"a":2}`, `"` + strings.Repeat("long", 100) + `"`,
	})
}

func (f *filler) string() string {
	if !f.json && f.oneIn(8) {
		return pick(f, []string{"\xff", "caf\xe9", "\xc0\x80", "\xed\xa0\x80", "ok\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
	}
	if f.oneIn(100) {
		return strings.Repeat("very long ", 30+f.IntN(700))
	}
	if f.oneIn(3) {
		return pick(f, []string{
			"", " ", "a", "\x00", "\u007f", "null", "<script>alert(1)</script>", `quote" back\slash`, "new\nline\r\t", "\u2028\u2029", "\ufeffbom", "\ufffd",
			"é", "e\u0301", "日本語", "😀", "\u202eright to left", "../../etc/passwd", "a/b", "%00", strings.Repeat("x", 23), strings.Repeat("x", 24), strings.Repeat("y", 255), strings.Repeat("y", 256),
		})
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/ "
	b := make([]byte, 1+f.IntN(20))
	for i := range b {
		b[i] = letters[f.IntN(len(letters))]
	}
	return string(b)
}
