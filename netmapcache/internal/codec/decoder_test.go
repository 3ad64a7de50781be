package codec

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
)

// A value is a map of fields by type and name, for marshal.
type value map[string]any

// marshal encodes v with maps from names of fields, as in "tailcfg.Node.ID", or "unknown",
// changed to maps from their numbers.
func marshal(t *testing.T, v any) []byte {
	t.Helper()
	options := cbor.CoreDetEncOptions()
	options.NaNConvert = cbor.NaNConvertPreserveSignal
	options.IndefLength = cbor.IndefLengthAllowed
	mode, err := options.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	data, err := mode.Marshal(numbered(v))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func numbered(v any) any {
	switch v := v.(type) {
	case value:
		m := map[int64]any{}
		for name, x := range v {
			num := int64(-1)
			if name != "unknown" {
				num = int64(fieldNumbers[name])
			}
			m[num] = numbered(x)
		}
		return m
	case []any:
		list := []any{}
		for _, x := range v {
			list = append(list, numbered(x))
		}
		return list
	}
	return v
}

func columnNamed(t testing.TB, name string) column {
	t.Helper()
	for _, c := range columns {
		if c.name == name {
			return c
		}
	}
	t.Fatalf("no column %s", name)
	return column{}
}

// raw is CBOR to be taken as it is.
func raw(s string) cbor.RawMessage { return cbor.RawMessage(s) }

func TestDecodeErrors(t *testing.T) {
	capMap := func(m any) value { return value{"tailcfg.Node.CapMap": m} }
	for _, tt := range []struct {
		column string
		value  any
		want   string
	}{
		{"node", raw("\xf6"), "null in place of a value"},
		{"peers", raw("\xf6"), "peers: null in place of a value"},
		{"node", []any{}, "tailcfg.Node: want map, got array"},
		{"peers", value{}, "peers: want array, got map"},
		{"peers", []any{value{}, nil}, "tailcfg.Node: want map, got null"},
		{"filter", []any{nil}, "tailcfg.FilterRule: want map, got null"},
		{"users", []any{value{"format.User.Profile": "x"}}, "tailcfg.UserProfile: want map, got text string"},
		{"misc", value{"format.Misc.Domain": 1}, "format.Misc.Domain: want text string, got unsigned integer"},
		{"misc", value{"format.Misc.Domain": nil}, "format.Misc.Domain: want text string, got null"},
		{"misc", value{"format.Misc.Domain": raw("\x61\xff")}, "format.Misc.Domain: text string is not UTF-8"},
		{"misc", value{"format.Misc.Domain": raw("\x7f\x61a\xff")}, "format.Misc.Domain: text string of indefinite length"},
		{"misc", value{"format.Misc.TKAEnabled": 1}, "format.Misc.TKAEnabled: want bool, got unsigned integer"},
		{"misc", value{"format.Misc.TKAEnabled": raw("\xf7")}, "format.Misc.TKAEnabled: want bool, got simple value"},
		{"misc", value{"format.Misc.TKAHead": make([]byte, 31)}, "format.Misc.TKAHead: byte string of wrong length"},
		{"misc", value{"format.Misc.DisplayMessages": map[string]any{"a": nil}}, "tailcfg.DisplayMessage: want map, got null"},
		{"node", value{"tailcfg.Node.ID": uint64(1 << 63)}, "tailcfg.Node.ID: integer out of range"},
		{"node", value{"tailcfg.Node.ID": raw("\x3b\x80\x00\x00\x00\x00\x00\x00\x00")}, "tailcfg.Node.ID: integer out of range"},
		{"node", value{"tailcfg.Node.ID": 1.5}, "tailcfg.Node.ID: want integer, got float"},
		{"node", value{"tailcfg.Node.Key": make([]byte, 33)}, "tailcfg.Node.Key: byte string of wrong length"},
		{"node", value{"tailcfg.Node.Addresses": map[string]any{}}, "tailcfg.Node.Addresses: want array, got map"},
		{"node", value{"tailcfg.Node.Addresses": []any{nil}}, "tailcfg.Node.Addresses: want byte string, got null"},
		{"node", value{"tailcfg.Node.Addresses": []any{make([]byte, 16)}}, "tailcfg.Node.Addresses: address of wrong length"},
		{"node", value{"tailcfg.Node.Addresses": []any{[]byte{1, 2, 3, 4, 33}}}, "tailcfg.Node.Addresses: prefix of too many bits"},
		{"node", value{"tailcfg.Node.Addresses": []any{[]byte{}}}, "tailcfg.Node.Addresses: prefix of wrong length"},
		{"node", value{"tailcfg.Node.Addresses": []any{make([]byte, 18)}}, "tailcfg.Node.Addresses: prefix of wrong length"},
		{"node", value{"tailcfg.Node.Addresses": raw("\x9f\xff")}, "tailcfg.Node.Addresses: array of indefinite length"},
		{"node", value{"tailcfg.Node.Endpoints": []any{[]byte{1}}}, "tailcfg.Node.Endpoints: address and port of wrong length"},
		{"node", value{"tailcfg.Node.Created": "2026"}, "tailcfg.Node.Created: want integer, got text string"},
		{"node", value{"tailcfg.Node.Created": []any{1}}, "tailcfg.Node.Created: time of wrong length"},
		{"node", value{"tailcfg.Node.Created": []any{1, 1000000000}}, "tailcfg.Node.Created: nanoseconds out of range"},
		{"node", value{"tailcfg.Node.Hostinfo": value{"tailcfg.Hostinfo.Userspace": 1}}, "tailcfg.Hostinfo.Userspace: want bool, got unsigned integer"},
		{"node", value{"tailcfg.Node.Hostinfo": value{"tailcfg.Hostinfo.Services": []any{value{"tailcfg.Service.Port": 65536}}}}, "tailcfg.Service.Port: integer out of range"},
		{"node", capMap([]any{}), "tailcfg.Node.CapMap: want map, got array"},
		{"node", capMap(map[string]any{"a": "b"}), "tailcfg.Node.CapMap: want array, got text string"},
		{"node", capMap(raw("\xa2\x61a\xf6\x61a\xf6")), "tailcfg.Node.CapMap: duplicate map key"},
		{"node", capMap(raw("\xa2\x41a\xf6\x61a\xf6")), "tailcfg.Node.CapMap: duplicate map key"},
		{"derpmap", value{"tailcfg.DERPMap.Regions": raw("\xa2\x01\xf6\x01\xf6")}, "tailcfg.DERPMap.Regions: duplicate map key"},
		{"derpmap", value{"tailcfg.DERPMap.Regions": map[string]any{"a": nil}}, "tailcfg.DERPMap.Regions: want integer, got text string"},
		{"node", value{"tailcfg.Node.Name": "abc", "tailcfg.Node.ComputedName": 4}, "tailcfg.Node.ComputedName: more than there is of the stem"},
		{"node", value{"tailcfg.Node.ComputedName": []any{0}}, "tailcfg.Node.ComputedName: stem and rest of wrong length"},
		{"node", value{"tailcfg.Node.ComputedName": []any{0, 0}}, "tailcfg.Node.ComputedName: want text string, got unsigned integer"},
		{"root", value{"format.Root.Columns": []any{value{"format.Column.Kind": 256}}}, "format.Column.Kind: integer out of range"},
		{"root", raw("\xa2\x01\x01\x01\x01"), "format.Root.Major: field numbers out of order"},
		{"root", raw("\xa2\x02\x01\x01\x01"), "format.Root.Generation: field numbers out of order"},
		{"root", raw("\xa1\x00\x01"), "format.Root: field numbers out of order"},
		{"root", raw("\xa1\x21\x01"), "format.Root: want unsigned integer as field number, got negative integer"},
		{"root", raw("\xa2\x20\x01\x01\x01"), "format.Root.-1: field numbers out of order"},
		{"root", raw("\xa2\x20\x01\x20\x01"), "format.Root.-1: field numbers out of order"},
		{"node", raw("\xa1\x20\x42{}"), "tailcfg.Node.-1: want text string, got byte string"},
		{"node", raw("\xa1\x20\xf6"), "tailcfg.Node.-1: want text string, got null"},
		{"node", raw("\xa1\x20\x61{"), "tailcfg.Node.-1: not a JSON object"},
		{"node", raw("\xa1\x20\x62[]"), "tailcfg.Node.-1: not a JSON object"},
		{"node", raw("\xa1\x20\x64null"), "tailcfg.Node.-1: not a JSON object"},
		{"root", raw("\xa1\x61a\x01"), "format.Root: want unsigned integer as field number, got text string"},
		{"root", raw("\xbf\x01\x01\xff"), "format.Root: map of indefinite length"},
		{"root", raw("\xc1\xa0"), "format.Root: want map, got tag"},
		{"root", raw("\xa1\x01"), "unexpected end"},
		{"root", raw("\xa0\x00"), "bytes after the value"},
		{"root", raw("\xa1\x19\x03\xe8\x1c"), "not CBOR"},
		{"root", raw("\xa1\x19\x03\xe8" + strings.Repeat("\x81", 40) + "\x00"), "nested too deeply"},
		{"root", raw(""), "want map, got nothing"},
		{"root", raw("{}"), "want map, got text string"},
	} {
		data, isRaw := tt.value.(cbor.RawMessage)
		if !isRaw {
			data = marshal(t, tt.value)
		}
		_, err := columnNamed(t, tt.column).decode(data)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %x: got error %v, want %q", tt.column, []byte(data), err, tt.want)
		}
	}
}

func TestTooLong(t *testing.T) {
	data := append([]byte{majorMap | 1, 0x19, 0x03, 0xe8, majorBytes | 26, MaxBytes >> 24, MaxBytes >> 16 & 0xff, MaxBytes >> 8 & 0xff, 0}, make([]byte, MaxBytes)...)
	if _, err := DecodeRoot(data); !errors.Is(err, errTooLong) {
		t.Errorf("got error %v", err)
	}
}

func TestDecodeHeader(t *testing.T) {
	for _, tt := range []struct {
		data      string
		wantMajor uint64 // zero for an error
	}{
		{string(AppendRoot(nil, &format.Root{Major: 1, Generation: 5, Owner: strings.Repeat("x", 100), Columns: make([]format.Column, 50)})), 1},
		{"\xa1\x01\x02", 2},
		{"\xa2\x01\x02\x61xwhat follows isn't looked at", 2},
		{"\xb8\x64\x01\x19\x03\xe8", 1000},
		{"\xbb\x00\x00\x00\x00\x00\x00\x01\x00\x01\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 1<<64 - 1},
		{"", 0},
		{"\xa0", 0},
		{"\xa1", 0},
		{"\xa1\x01", 0},
		{"\xa1\x01\x19", 0},
		{"\xa1\x01\x20", 0},
		{"\xa1\x02\x01", 0},
		{"\xb8", 0},
		{"\xbf\x01\x01\xff", 0},
		{`{"Node":{}}`, 0},
		{"\xf6", 0},
	} {
		h, err := DecodeHeader([]byte(tt.data))
		if (err != nil) != (tt.wantMajor == 0) || h.Major != tt.wantMajor {
			t.Errorf("%x: got %d, %v, want %d", tt.data, h.Major, err, tt.wantMajor)
		}
	}
}

// TestUnknownFields adds fields of a newer version to what a column consists of.
func TestUnknownFields(t *testing.T) {
	unknown := []string{
		"\x00", "\x3b\xff\xff\xff\xff\xff\xff\xff\xff", "\x43abc", "\x63abc", "\x82\x01\x81\x02", "\xa2\x01\xa0\x61a\xf6", "\xa2\x01\x01\x01\x01",
		"\xc1\x00", "\xd9\xd9\xf7\xa0", "\xf4", "\xf7", "\xf8\xff", "\xf9\x7e\x00", "\xfa\x00\x00\x00\x00", "\xfb\x00\x00\x00\x00\x00\x00\x00\x00",
		"\x5f\x41a\x40\xff", "\x7f\x61a\xff", "\x9f\x01\x9f\xff\xff", "\xbf\x01\xbf\xff\xff", strings.Repeat("\x81", 20) + "\x00",
	}
	// add adds the fields to the map v, or to the maps in the list v.
	var add func(v any)
	add = func(v any) {
		switch v := v.(type) {
		case map[any]any:
			for i, u := range unknown {
				v[uint64(1000+i)] = raw(u)
			}
		case []any:
			for _, e := range v {
				add(e)
			}
		}
	}
	forEach(t, 20, func(t *testing.T, c column, v any) {
		x := generic(t, c.append(nil, v))
		add(x)
		data := marshal(t, x)
		got, err := c.decode(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, diagnose(data))
		}
		if diff := netmaptest.Diff(got, v, notStored); diff != "" {
			t.Error(diff)
		}
	})
}

// TestSkip: of the values of unknown fields, those are skipped that fxamacker/cbor
// takes for well-formed.
func TestSkip(t *testing.T) {
	heads := []byte{0x00, 0x17, 0x18, 0x19, 0x1b, 0x1c, 0x1f, 0x20, 0x38, 0x40, 0x41, 0x58, 0x5f, 0x60, 0x62, 0x7f, 0x80, 0x81, 0x82, 0x9f,
		0xa0, 0xa1, 0xb8, 0xbf, 0xc0, 0xd8, 0xdf, 0xe0, 0xf4, 0xf6, 0xf8, 0xf9, 0xfc, 0xff, 0xff, 0xff}
	rng := rand.New(rand.NewPCG(1, 4))
	skipped := 0
	for range 300_000 {
		data := []byte("\xa1\x19\x03\xe8")
		for range 1 + rng.IntN(8) {
			data = append(data, heads[rng.IntN(len(heads))])
		}
		_, err := DecodeRoot(data)
		if want := wellformed.Wellformed(data); (err == nil) != (want == nil) {
			t.Fatalf("%x: %v, and fxamacker/cbor says: %v", data, err, want)
		}
		if err == nil {
			skipped++
		}
	}
	t.Logf("%d were well-formed", skipped)
}

// TestDamage decodes all truncations of a column, and the column with bits flipped.
func TestDamage(t *testing.T) {
	forEach(t, 2, func(t *testing.T, c column, v any) {
		data := c.append(nil, v)
		for n := range data {
			if _, err := c.decode(data[:n]); err == nil {
				t.Fatalf("no error for the first %d of %d bytes", n, len(data))
			}
		}
		rng := rand.New(rand.NewPCG(1, 1))
		for range 1000 {
			damaged := bytes.Clone(data)
			for range 1 + rng.IntN(3) {
				damaged[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
			}
			decodeAgain(t, c, damaged)
		}
	})
}

// wellformed checks that there is one well-formed value and nothing else.
var wellformed, _ = cbor.DecOptions{MaxArrayElements: MaxBytes, MaxMapPairs: MaxBytes, MaxNestedLevels: 2 * maxNested}.DecMode()

// decodeAgain decodes data. What it gives must be encodable, and decodable as the same.
func decodeAgain(t *testing.T, c column, data []byte) {
	t.Helper()
	v, err := c.decode(data)
	if err != nil {
		return
	}
	if err := wellformed.Wellformed(data); err != nil {
		t.Fatalf("decoded, but fxamacker/cbor says: %v\n%x", err, data)
	}
	again := c.append(nil, v)
	w, err := c.decode(again)
	if err != nil {
		t.Fatalf("%v\nfirst  %s\nsecond %s", err, diagnose(data), diagnose(again))
	}
	if diff := netmaptest.Diff(w, v); diff != "" {
		t.Fatalf("%s\nfirst  %s\nsecond %s", diff, diagnose(data), diagnose(again))
	}
}

// TestMemory decodes the worst small values that stand for large ones. What the bounds let through takes
// at most so much memory for each byte and each map.
func TestMemory(t *testing.T) {
	const perByte, perMap = 64, 600
	repeat := func(n int, v any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = v
		}
		return list
	}
	const most = slackMaps * bytesPerMap / (bytesPerMap - 1) // maps of one byte each
	oneEntry := map[string]any{"": nil}
	hostinfo := value{"tailcfg.Node.Hostinfo": value{"tailcfg.Hostinfo.NetInfo": value{"tailcfg.NetInfo.DERPLatency": map[string]any{"": 0.0}}}}
	grants := func(n int) []any {
		return []any{value{"tailcfg.FilterRule.CapGrant": repeat(n, value{"tailcfg.CapGrant.CapMap": oneEntry})}}
	}
	sshUsers := value{"tailcfg.SSHRule.SSHUsers": map[string]any{"": ""}}
	for _, tt := range []struct {
		name    string
		column  string
		value   any
		maps    int
		refused bool
	}{
		{"no nodes", "peers", repeat(0, value{}), 0, false},
		{"empty nodes", "peers", repeat(30_000, value{}), 30_000, false},
		{"most empty nodes", "peers", repeat(most, value{}), most, false},
		{"more empty nodes", "peers", repeat(most+8, value{}), most, true},
		{"nodes with empty structs", "peers", repeat(10_000, hostinfo), 40_000, false},
		{"empty services", "peers", []any{value{"tailcfg.Node.Hostinfo": value{"tailcfg.Hostinfo.Services": repeat(30_000, value{})}}}, 30_002, false},
		{"empty rules", "filter", repeat(30_000, value{}), 30_000, false},
		{"rules, all but one missing", "filter", raw("\x9a\x00\x20\x00\x00" + strings.Repeat("\x00", 1<<21)), 0, true},
		{"maps of one entry", "filter", grants(30_000), 60_001, false},
		{"too many maps of one entry", "filter", grants(200_000), maxMaps(1_000_007), true},
		{"users with empty profiles", "users", repeat(30_000, value{"format.User.Profile": value{}}), 60_000, false},
		{"nil rules", "ssh", value{"tailcfg.SSHPolicy.Rules": repeat(30_000, nil)}, 1, false},
		{"empty rules", "ssh", value{"tailcfg.SSHPolicy.Rules": repeat(30_000, value{})}, 30_001, false},
		{"rules with users", "ssh", value{"tailcfg.SSHPolicy.Rules": repeat(30_000, sshUsers)}, 60_001, false},
		{"empty strings", "filter", []any{value{"tailcfg.FilterRule.SrcIPs": repeat(30_000, "")}}, 1, false},
		{"addresses, twice", "node", value{"tailcfg.Node.Addresses": repeat(30_000, []byte{255})}, 1, false},
		{"empty regions", "derpmap", raw("\xa1\x02\xb9\x80\x00" + string(numberedMaps(0x8000))), 0x8001, false},
		{"empty columns", "root", value{"format.Root.Columns": repeat(30_000, value{})}, 30_001, false},
	} {
		t.Run(tt.column+" "+tt.name, func(t *testing.T) {
			data, isRaw := tt.value.(cbor.RawMessage)
			if !isRaw {
				data = marshal(t, tt.value)
			}
			c := columnNamed(t, tt.column)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := c.decode(data)
			runtime.ReadMemStats(&after)
			if (err != nil) != tt.refused {
				t.Errorf("got error %v", err)
			}
			allocated := int(after.TotalAlloc - before.TotalAlloc)
			limit := perByte*len(data) + perMap*tt.maps + 64<<10
			if allocated > limit {
				t.Errorf("%d bytes allocated for %d, want at most %d", allocated, len(data), limit)
			}
			t.Logf("%d bytes allocated for %d: %v", allocated, len(data), err)
		})
	}
}

// numberedMaps returns n entries of a map, with keys from 0 and empty maps.
func numberedMaps(n int) []byte {
	var b []byte
	for i := range n {
		b = append(appendHead(b, majorUint, uint64(i)), majorMap)
	}
	return b
}
