package netmaptest

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/netmap"
	"tailscale.com/types/opt"
)

func TestHostileFillsEveryField(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(uint64) *netmap.NetworkMap
		zero map[string]string
	}{
		{"Hostile", Hostile, map[string]string{
			"netmap.NetworkMap.Cached": "it would not be stored",
		}},
		{"HostileJSON", HostileJSON, map[string]string{
			"netmap.NetworkMap.Cached":   "it would not be stored",
			"tailcfg.FilterRule.SrcBits": "such rules don't parse",
			"tailcfg.NetPortRange.Bits":  "such rules don't parse",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := map[string]bool{}
			for seed := range uint64(100) {
				collectSet(tt.make(seed), set)
			}
			checkAllSet(t, set, tt.zero)
		})
	}
}

func TestHostileIsWhatAClientCanHave(t *testing.T) {
	for seed := range uint64(200) {
		for _, nm := range []*netmap.NetworkMap{Hostile(seed), HostileJSON(seed)} {
			if nm.User() == 0 {
				t.Fatalf("seed %d: no user", seed)
			}
			if nm.NodeKey != nm.SelfNode.Key() {
				t.Errorf("seed %d: NodeKey isn't the self node's", seed)
			}
			for i, p := range nm.Peers {
				if !p.Valid() || i > 0 && p.ID() <= nm.Peers[i-1].ID() {
					t.Errorf("seed %d: peer %d is invalid or out of order", seed, i)
				}
			}
			for id, up := range nm.UserProfiles {
				if !up.Valid() {
					t.Errorf("seed %d: profile %d is invalid", seed, id)
				}
			}
		}
	}
}

func TestHostileIsDeterministic(t *testing.T) {
	for seed := range uint64(50) {
		if d := Diff(Hostile(seed), Hostile(seed)); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
	if Diff(Hostile(1), Hostile(2)) == "" {
		t.Error("two seeds give the same netmap")
	}
}

// edges are values that are seldom thought of.
var edges = []struct {
	name   string
	inJSON bool // whether HostileJSON has it as well
	is     func(v any) bool
}{
	{"string that isn't UTF-8", false, func(v any) bool { s, ok := v.(string); return ok && !utf8.ValidString(s) }},
	{"string above 4 KiB", true, func(v any) bool { s, ok := v.(string); return ok && len(s) > 4096 }},
	{"raw message that isn't JSON", false, func(v any) bool { m, ok := v.(tailcfg.RawMessage); return ok && !json.Valid([]byte(m)) }},
	{"raw message of JSON", true, func(v any) bool { m, ok := v.(tailcfg.RawMessage); return ok && json.Valid([]byte(m)) }},
	{"raw message null", true, func(v any) bool { return v == tailcfg.RawMessage("null") }},
	{"NaN", false, func(v any) bool { f, ok := v.(float64); return ok && math.IsNaN(f) }},
	{"infinity", false, func(v any) bool { f, ok := v.(float64); return ok && math.IsInf(f, 0) }},
	{"-0", false, func(v any) bool { f, ok := v.(float64); return ok && f == 0 && math.Signbit(f) }},
	{"largest int64", true, func(v any) bool { return v == tailcfg.NodeID(math.MaxInt64) || v == time.Duration(math.MaxInt64) }},
	{"smallest int", true, func(v any) bool { return v == math.MinInt }},
	{"year above 9999", false, func(v any) bool { t, ok := v.(time.Time); return ok && t.Year() > 9999 }},
	{"year below 0", false, func(v any) bool { t, ok := v.(time.Time); return ok && t.Year() < 0 }},
	{"nanoseconds", true, func(v any) bool { t, ok := v.(time.Time); return ok && t.Nanosecond()%1000 != 0 }},
	{"offset of whole minutes", true, func(v any) bool { o, ok := offset(v); return ok && o != 0 && o%60 == 0 }},
	{"offset with seconds", false, func(v any) bool { o, ok := offset(v); return ok && o%60 != 0 }},
	{"zero time at an offset", false, func(v any) bool { o, ok := offset(v); return ok && o != 0 && v.(time.Time).IsZero() }},
	{"pointer to the zero time", true, func(v any) bool { t, ok := v.(*time.Time); return ok && t != nil && t.IsZero() }},
	{"4-in-6 address", true, func(v any) bool { a, ok := v.(netip.Addr); return ok && a.Is4In6() }},
	{"address with a zone", true, func(v any) bool { a, ok := v.(netip.AddrPort); return ok && a.Addr().Zone() != "" }},
	{"4-in-6 prefix", true, func(v any) bool { p, ok := v.(netip.Prefix); return ok && p.Addr().Is4In6() }},
	{"invalid prefix with an address", false, func(v any) bool { p, ok := v.(netip.Prefix); return ok && !p.IsValid() && p != netip.Prefix{} }},
	{"pointer to the zero address", true, func(v any) bool { a, ok := v.(*netip.Addr); return ok && a != nil && !a.IsValid() }},
	{"nil prefixes", true, func(v any) bool { p, ok := v.([]netip.Prefix); return ok && p == nil }},
	{"empty prefixes", true, func(v any) bool { p, ok := v.([]netip.Prefix); return ok && p != nil && len(p) == 0 }},
	{"empty map", true, func(v any) bool { m, ok := v.(map[string]string); return ok && m != nil && len(m) == 0 }},
	{"nil pointer in a slice", true, func(v any) bool { r, ok := v.([]*tailcfg.SSHRule); return ok && len(r) > 0 && r[0] == nil }},
	{"strange optional boolean", false, func(v any) bool { b, ok := v.(opt.Bool); return ok && b == "perhaps" }},
	{"explicitly unset boolean", true, func(v any) bool { return v == opt.ExplicitlyUnset }},
	{"zero key", true, func(v any) bool { k, ok := v.(key.DiscoPublic); return ok && k.IsZero() }},
}

func offset(v any) (seconds int, ok bool) {
	t, ok := v.(time.Time)
	if ok {
		_, seconds = t.Zone()
	}
	return seconds, ok
}

func TestHostileHasEdges(t *testing.T) {
	inHostile, inJSON := map[string]bool{}, map[string]bool{}
	collect := func(nm *netmap.NetworkMap, found map[string]bool) {
		visit(reflect.ValueOf(nm).Elem(), "", func(_ string, v reflect.Value) {
			for _, e := range edges {
				if !found[e.name] && e.is(v.Interface()) {
					found[e.name] = true
				}
			}
		})
	}
	for seed := range uint64(100) {
		collect(Hostile(seed), inHostile)
		collect(HostileJSON(seed), inJSON)
	}
	for _, e := range edges {
		if !inHostile[e.name] {
			t.Errorf("Hostile has no %s", e.name)
		}
		if inJSON[e.name] != e.inJSON {
			t.Errorf("%s in HostileJSON: %v, want %v", e.name, inJSON[e.name], e.inJSON)
		}
	}
}

func TestHostileHasBadIDs(t *testing.T) {
	duplicate, empty, foreign := false, false, false
	for seed := range uint64(50) {
		nm := Hostile(seed)
		ids := map[tailcfg.StableNodeID]bool{}
		for _, p := range nm.Peers {
			duplicate = duplicate || ids[p.StableID()]
			empty = empty || p.StableID() == ""
			ids[p.StableID()] = true
		}
		for id, up := range nm.UserProfiles {
			foreign = foreign || up.ID() != id
		}
	}
	if !duplicate || !empty || !foreign {
		t.Errorf("duplicate stable ID: %v, empty: %v, profile under a foreign ID: %v, want all", duplicate, empty, foreign)
	}
}

func TestFillJSONSurvivesJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		for _, v := range []any{
			new(tailcfg.Node), new(tailcfg.Hostinfo), new(tailcfg.UserProfile), new(tailcfg.DNSConfig), new(tailcfg.DERPMap),
			new(tailcfg.FilterRule), new(tailcfg.SSHPolicy), new(tailcfg.DisplayMessage), new(tailcfg.NetInfo),
		} {
			FillJSON(rng, v)
			j, err := json.Marshal(v)
			if err != nil {
				t.Fatalf("%T: %v", v, err)
			}
			got := reflect.New(reflect.TypeOf(v).Elem()).Interface()
			if err := json.Unmarshal(j, got); err != nil {
				t.Fatalf("%T: %v in %s", v, err, j)
			}
			if d := Diff(got, v, Ignore("tailcfg.Node.computedHostIfDifferent")); d != "" {
				t.Fatalf("%T differs after JSON:\n%s%s", v, d, j)
			}
		}
	}
}
