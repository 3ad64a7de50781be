package codec

import (
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/structs"
	"tailscale.com/types/views"
)

// A future is a struct of a tailscale.com that is newer than the table, which knows Known alone.
type future struct {
	_      structs.Incomparable
	hidden int
	Known  string

	Name    string `json:"name,omitempty"`
	Big     int64  `json:",string"`
	Ratio   float64
	List    []string `json:",omitempty"`
	Map     map[int]*tailcfg.Node
	Pointer *bool
	Nested  struct{ A, B int }
	Time    time.Time
	Address netip.Prefix
	Key     key.NodePublic
	View    tailcfg.NodeView
	Views   views.Slice[string]

	Never string `json:"-"`
	Func  func()
}

const futureNames = "codec.future Known"

// encodeFuture returns v as a map that has the unknown fields only.
func encodeFuture(u *unknown, v *future) []byte {
	e := newEncoder(nil)
	m := e.open()
	u.encode(e, unsafe.Pointer(v))
	e.close(m)
	return e.done()
}

// decodeFuture reads what encodeFuture wrote.
func decodeFuture(u *unknown, data []byte) (*future, error) {
	return decodeOne(data, func(d *decoder, v *future) {
		m := d.open(futureNames)
		for num := d.next(&m); num != 0; num = d.next(&m) {
			if num == unknownKey {
				u.decode(d, unsafe.Pointer(v))
			} else {
				d.skip()
			}
		}
	})
}

func TestUnknownFieldsAreKept(t *testing.T) {
	u := unknownOf(reflect.TypeFor[future](), futureNames)
	yes := true
	for want, v := range map[string]*future{
		``:                                    {Known: "known", hidden: 1, Never: "never", Func: func() {}},
		`{"name":"<é>"}`:                      {Name: "<é>"},
		`{"Big":"9007199254740993"}`:          {Big: 1<<53 + 1},
		`{"List":[]}`:                         {List: []string{}},
		`{"List":["a",""],"Pointer":true}`:    {List: []string{"a", ""}, Pointer: &yes},
		`{"Nested":{"A":0,"B":2}}`:            {Nested: struct{ A, B int }{B: 2}},
		`{"Time":"2026-01-02T03:04:05.006Z"}`: {Time: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)},
		`{"Address":"10.0.0.0/8"}`:            {Address: netip.MustParsePrefix("10.0.0.0/8")},
		`{"Views":["x"]}`:                     {Views: views.SliceOf([]string{"x"})},
	} {
		data := encodeFuture(&u, v)
		wantMap := map[any]any{}
		if want != "" {
			wantMap[int64(-1)] = strings.ReplaceAll(strings.ReplaceAll(want, "<", `\u003c`), ">", `\u003e`)
		}
		if got := generic(t, data); !reflect.DeepEqual(got, wantMap) {
			t.Errorf("got %v, want %v", got, wantMap)
		}
		got, err := decodeFuture(&u, data)
		if err != nil {
			t.Fatal(err)
		}
		v.Known, v.hidden, v.Never, v.Func = "", 0, "", nil
		if diff := netmaptest.Diff(got, v); diff != "" {
			t.Errorf("%s: %s", want, diff)
		}
	}
}

func TestUnknownFieldsOfAnyValue(t *testing.T) {
	u := unknownOf(reflect.TypeFor[future](), futureNames)
	n := netmaptest.Realistic(1, 1)
	v := &future{Map: map[int]*tailcfg.Node{7: {Name: "inner"}}, Key: n.NodeKey, View: n.SelfNode}
	got, err := decodeFuture(&u, encodeFuture(&u, v))
	if err != nil {
		t.Fatal(err)
	}
	if diff := netmaptest.Diff(got, v, notStored); diff != "" {
		t.Error(diff)
	}
	if _, err := decodeFuture(&u, encodeFuture(&u, &future{Ratio: math.Inf(1)})); err == nil {
		t.Error("a value that JSON can't express is lost without an error")
	}
}

// TestUnknownFieldsOfToday: what another build wrote under the reserved key goes into fields
// that have a number by now, or none, or another form, or that don't exist.
func TestUnknownFieldsOfToday(t *testing.T) {
	for _, tt := range []struct {
		text string
		want tailcfg.Node
	}{
		{`{}`, tailcfg.Node{ID: 7, StableID: "seven"}},
		{`{"IsJailed":true,"Unheard":[{}]}`, tailcfg.Node{ID: 7, StableID: "seven", IsJailed: true}},
		{`{"ID":8,"Tags":["tag:x"]}`, tailcfg.Node{ID: 7, StableID: "seven", Tags: []string{"tag:x"}}}, // the number wins
		{`{"IsJailed":"other form","Expired":true}`, tailcfg.Node{ID: 7, StableID: "seven", Expired: true}},
	} {
		data := marshal(t, value{"tailcfg.Node.ID": 7, "tailcfg.Node.StableID": "seven", "unknown": tt.text})
		got, err := DecodeNode(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := netmaptest.Diff(got, &tt.want); diff != "" {
			t.Errorf("%s: %s", tt.text, diff)
		}
	}
}

func TestNoUnknownFields(t *testing.T) {
	for _, u := range []*unknown{&tailcfgNodeUnknown, &tailcfgHostinfoUnknown, &tailcfgDNSConfigUnknown, &netmapUnknown} {
		for _, f := range u.fields {
			t.Errorf("%s has no number", f.Name)
		}
	}
	nm := netmaptest.Realistic(1, 1)
	if got := UnknownNetmapFields(nm); got != "" {
		t.Errorf("got %q", got)
	}
	SetUnknownNetmapFields(nm, `{"Unheard":1,"Domain":"other"}`)
	if nm.Domain == "other" {
		t.Error("a field that is set was replaced")
	}
	misc, err := DecodeMisc(AppendMisc(nil, &format.Misc{Unknown: `{"Unheard":1}`}))
	if err != nil || misc.Unknown != `{"Unheard":1}` {
		t.Errorf("got %v, %v", misc, err)
	}
	if _, err := DecodeMisc(AppendMisc(nil, &format.Misc{Unknown: noJSON})); err == nil {
		t.Error("what isn't a JSON object is read")
	}
}

// BenchmarkUnknown looks for an unknown field in nodes that don't have it set.
func BenchmarkUnknown(b *testing.B) {
	u := unknown{fields: []jsonField{{StructField: reflect.TypeFor[tailcfg.Node]().Field(0)}}}
	n := new(tailcfg.Node)
	for b.Loop() {
		if u.set(unsafe.Pointer(n)) {
			b.Fatal("set")
		}
	}
}
