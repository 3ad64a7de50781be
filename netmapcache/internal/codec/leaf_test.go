package codec

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
	"tailscale.com/types/opt"
)

// checkLeaf checks that value is encoded as wantHex, and decoded to itself.
func checkLeaf[T any](t *testing.T, value T, wantHex string, enc func(*encoder, T), dec func(*decoder, *T)) {
	t.Helper()
	e := newEncoder(nil)
	enc(e, value)
	data := e.done()
	if got := hex.EncodeToString(data); got != wantHex {
		t.Errorf("%v: got %s, want %s", value, got, wantHex)
	}
	d := &decoder{s: string(data), maps: 1}
	var got T
	dec(d, &got)
	if d.err != nil || d.pos != len(d.s) {
		t.Errorf("%v: decoding ended at byte %d of %d: %v", value, d.pos, len(d.s), d.err)
	}
	if diff := netmaptest.Diff(got, value); diff != "" {
		t.Errorf("%v: %s", value, diff)
	}
}

func TestIntegers(t *testing.T) {
	for v, want := range map[int64]string{
		0: "00", 23: "17", 24: "1818", 255: "18ff", 256: "190100", 65535: "19ffff", 65536: "1a00010000",
		math.MaxUint32: "1affffffff", 1 << 32: "1b0000000100000000", math.MaxInt64: "1b7fffffffffffffff",
		-1: "20", -24: "37", -25: "3818", math.MinInt64: "3b7fffffffffffffff",
	} {
		checkLeaf(t, v, want, (*encoder).int, decodeInt)
	}
	checkLeaf(t, math.MaxUint64, "1bffffffffffffffff", (*encoder).uint, decodeUint)
}

func TestStrings(t *testing.T) {
	long := strings.Repeat("x", 300)
	for v, want := range map[string]string{
		"": "60", "a": "6161", "ü": "62c3bc", "\xff": "41ff", "a\xc3": "4261c3", "\x00": "6100", `{"a": 1}`: "687b2261223a20317d",
		long: "79012c" + hex.EncodeToString([]byte(long)),
	} {
		checkLeaf(t, v, want, (*encoder).string, decodeString)
	}
}

func TestFloats(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "f90000"},
		{math.Copysign(0, -1), "f98000"},
		{1, "f93c00"},
		{1.5, "f93e00"},
		{-4, "f9c400"},
		{65504, "f97bff"},               // largest half
		{65536, "fa47800000"},           // too large for a half
		{0x1p-14, "f90400"},             // smallest normal half
		{0x1p-24, "f90001"},             // smallest half
		{0x1.8p-24, "fa33c00000"},       // between two halves
		{0x1p-25, "fa33000000"},         // too small for a half
		{0x3ffp-24, "f903ff"},           // largest subnormal half
		{math.MaxFloat32, "fa7f7fffff"}, //
		{math.SmallestNonzeroFloat32, "fa00000001"},
		{0x1p-127, "fa00400000"},         // subnormal single
		{0x1p-150, "fb3690000000000000"}, // too small for a single
		{0x1p128, "fb47f0000000000000"},  // too large for a single
		{1.1, "fb3ff199999999999a"},
		{math.MaxFloat64, "fb7fefffffffffffff"},
		{math.SmallestNonzeroFloat64, "fb0000000000000001"},
		{math.Inf(1), "f97c00"},
		{math.Inf(-1), "f9fc00"},
		{math.NaN(), "fb7ff8000000000001"}, // Go's NaN has a payload
		{math.Float64frombits(0x7ff8000000000000), "f97e00"},
		{math.Float64frombits(0xfff8000020000000), "faffc00001"},
		{math.Float64frombits(0x7ff0000000000001), "fb7ff0000000000001"}, // signalling
	} {
		checkLeaf(t, tt.v, tt.want, (*encoder).float, decodeFloat)
	}
}

func TestAddresses(t *testing.T) {
	zone := hex.EncodeToString([]byte("eth0"))
	v6, mapped := "fe80000000000000"+"0000000000000001", "00000000000000000000ffff01020304"
	for a, want := range map[netip.Addr]string{
		{}:                                          "40",
		netip.MustParseAddr("1.2.3.4"):              "4401020304",
		netip.MustParseAddr("0.0.0.0"):              "4400000000",
		netip.MustParseAddr("fe80::1"):              "50" + v6,
		netip.MustParseAddr("::"):                   "50" + strings.Repeat("00", 16),
		netip.MustParseAddr("fe80::1%eth0"):         "54" + v6 + zone,
		netip.MustParseAddr("::ffff:1.2.3.4"):       "50" + mapped,
		netip.MustParseAddr("::ffff:1.2.3.4%eth0"):  "54" + mapped + zone,
		netip.MustParseAddr("fe80::1%eth0eth0eth0"): "581c" + v6 + zone + zone + zone,
	} {
		checkLeaf(t, a, want, (*encoder).addr, (*decoder).addr)
	}
	for a, want := range map[netip.AddrPort]string{
		{}:                                     "420000",
		netip.AddrPortFrom(netip.Addr{}, 443):  "42bb01",
		netip.MustParseAddrPort("1.2.3.4:443"): "4601020304bb01",
		netip.MustParseAddrPort("[fe80::1%eth0]:443"): "56" + v6 + zone + "bb01",
	} {
		checkLeaf(t, a, want, (*encoder).addrPort, (*decoder).addrPort)
	}
	for p, want := range map[netip.Prefix]string{
		{}:                                                   "41ff",
		netip.MustParsePrefix("0.0.0.0/0"):                   "450000000000",
		netip.MustParsePrefix("1.2.3.4/24"):                  "450102030418",
		netip.MustParsePrefix("::/0"):                        "51" + strings.Repeat("00", 17),
		netip.MustParsePrefix("fe80::1/128"):                 "51" + v6 + "80",
		netip.MustParsePrefix("::ffff:1.2.3.4/120"):          "51" + mapped + "78",
		netip.PrefixFrom(netip.MustParseAddr("1.2.3.4"), 33): "4501020304ff",
	} {
		checkLeaf(t, p, want, (*encoder).prefix, (*decoder).prefix)
	}
}

func TestOptBools(t *testing.T) {
	for v, want := range map[opt.Bool]string{opt.True: "f5", opt.False: "f4", opt.ExplicitlyUnset: "65756e736574", "maybe": "656d61796265", "\xff": "41ff"} {
		write := func(e *encoder, v opt.Bool) {
			e.optBoolField(1, v)
			e.buf = e.buf[1:]
		}
		checkLeaf(t, v, want, write, (*decoder).optBool)
	}
}

func TestTimes(t *testing.T) {
	zone := func(seconds int) *time.Location { return time.FixedZone("", seconds) }
	for _, tt := range []struct {
		v    time.Time
		want string
	}{
		{time.Unix(0, 0).UTC(), "00"},
		{time.Unix(-1, 0).UTC(), "20"},
		{time.Unix(1, 5).UTC(), "820105"},
		{time.Unix(-1, 999999999).UTC(), "82201a3b9ac9ff"},
		{time.Unix(1, 0).In(zone(3600)), "830100190e10"},
		{time.Unix(1, 0).In(zone(-1)), "83010020"},
		{time.Unix(1, 0).In(zone(1172)), "830100190494"},
		{time.Unix(1, 0).In(zone(0)), "01"}, // the same as UTC
		{time.Time{}, "3b0000000e7791f6ff"},
		{time.Time{}.In(zone(60)), "833b0000000e7791f6ff00183c"},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "1b0000003afff44180"},
		{time.Unix(math.MaxInt64, 0).UTC(), "1b7fffffffffffffff"},
		{time.Unix(math.MinInt64, 0).UTC(), "3b7fffffffffffffff"},
	} {
		checkLeaf(t, tt.v, tt.want, (*encoder).time, (*decoder).time)
	}
}

// TestTimeLocations checks that times get the location that JSON gives them.
func TestTimeLocations(t *testing.T) {
	defer func(old *time.Location) { time.Local = old }(time.Local)
	for _, local := range []*time.Location{time.UTC, time.FixedZone("HERE", 7200)} {
		time.Local = local
		for _, in := range []*time.Location{time.UTC, time.Local, time.FixedZone("", 7200), time.FixedZone("", 3600), time.FixedZone("", 0)} {
			want := time.Unix(1700000000, 123).In(in)
			text, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			e := newEncoder(nil)
			e.time(time.Unix(1700000000, 123).In(in))
			d := &decoder{s: string(e.done())}
			var got time.Time
			d.time(&got)
			if !got.Equal(want) || got.Location().String() != want.Location().String() || (got.Location() == time.Local) != (want.Location() == time.Local) {
				t.Errorf("%v in %v: got %v, JSON has %v", in, local, got, want)
			}
		}
	}
}

func TestAllowedIPs(t *testing.T) {
	one := []netip.Prefix{netip.MustParsePrefix("100.64.0.1/32")}
	other := []netip.Prefix{netip.MustParsePrefix("100.64.0.2/32")}
	absent := AppendNode(nil, (&tailcfg.Node{Addresses: one, AllowedIPs: one}).View())
	for _, addresses := range [][]netip.Prefix{nil, {}, one} {
		for _, allowed := range [][]netip.Prefix{nil, {}, one, other} {
			want := &tailcfg.Node{Addresses: addresses, AllowedIPs: allowed}
			got, err := DecodeNode(AppendNode(nil, want.View()))
			if err != nil {
				t.Fatal(err)
			}
			if diff := netmaptest.Diff(got, want); diff != "" {
				t.Error(diff)
			}
		}
	}
	n, err := DecodeNode(absent)
	if err != nil {
		t.Fatal(err)
	}
	if cap(n.AllowedIPs) != len(n.AllowedIPs) {
		t.Error("AllowedIPs can grow into what follows Addresses")
	}
}
