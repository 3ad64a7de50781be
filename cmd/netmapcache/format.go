package main

import (
	"encoding/binary"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/netmapcache/netmapcache/docs"
)

// A cddl is the content of docs/format.cddl: the fields of each struct, and the types of other rules.
type cddl struct {
	fields map[string]map[string]field // by the names of rules and the numbers of fields
	types  map[string]string           // by the names of rules
}

type field struct{ name, typ string }

// format returns the content of docs/format.cddl.
var format = sync.OnceValue(func() cddl {
	f := cddl{make(map[string]map[string]field), make(map[string]string)}
	rule := ""
	for line := range strings.Lines(docs.Format) {
		if m := ruleLine.FindStringSubmatch(line); m != nil && m[2] == "{" {
			rule = m[1]
			f.fields[rule] = make(map[string]field)
		} else if m != nil {
			f.types[m[1]] = m[2]
		} else if m := fieldLine.FindStringSubmatch(line); m != nil {
			f.fields[rule][m[1]] = field{m[3], m[2]}
		}
	}
	return f
})

var (
	ruleLine  = regexp.MustCompile(`^([a-z-]+) = (.+?)\s*$`)
	fieldLine = regexp.MustCompile(`^  \? (-?[0-9]+): (.*?), *; (\w+)`)
)

// resolve returns the name of the struct, or the list or map, that typ stands for.
func (f cddl) resolve(typ string) string {
	typ = strings.TrimSuffix(typ, " / null")
	if t, ok := f.types[typ]; ok && strings.HasPrefix(t, "[") {
		return t
	}
	return typ
}

// element returns the type of the element at index i of an array of type typ.
func (f cddl) element(typ string, i int) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(f.resolve(typ), "["), "]")
	if of, ok := strings.CutPrefix(inner, "* "); ok {
		return of
	}
	if parts := strings.Split(inner, ", "); i < len(parts) {
		return parts[i]
	}
	return ""
}

// entry returns the name, if it has any, and the type of the value under a key of a map of type typ.
func (f cddl) entry(typ, key string) field {
	typ = f.resolve(typ)
	if fields, ok := f.fields[typ]; ok {
		return fields[key]
	}
	_, value, _ := strings.Cut(strings.TrimSuffix(typ, "}"), " => ")
	return field{typ: value}
}

// keyType returns the type of the value under a key of the store.
func keyType(key string) string {
	if key == rootKey {
		return "sealed-root"
	}
	kind, _, ok := strings.Cut(key, ".")
	if !ok {
		return "" // not a key of this format
	}
	kind, _, _ = strings.Cut(kind, "-")
	return map[string]string{
		"node": "node", "misc": "misc", "dns": "dns-config", "derpmap": "derp-map",
		"filter": "filter", "ssh": "ssh-policy", "peers": "peers", "users": "users",
	}[kind]
}

// meaning returns what item, of type typ, stands for, if that isn't obvious.
func meaning(typ string, item []byte) string {
	if typ == "time" {
		var at []int64 // seconds, nanoseconds, offset
		if cbor.Unmarshal(item, &at) != nil {
			at = make([]int64, 1)
			if cbor.Unmarshal(item, &at[0]) != nil {
				return ""
			}
		}
		if len(at) == 0 {
			return ""
		}
		return time.Unix(at[0], 0).UTC().Format(time.RFC3339)
	}
	var data []byte
	if cbor.Unmarshal(item, &data) != nil {
		return ""
	}
	suffix := map[string]int{"addr": 0, "prefix": 1, "addr-port": 2}
	n, ok := suffix[typ]
	if !ok || len(data) < n {
		return ""
	}
	addr, ok := netip.AddrFromSlice(data[:len(data)-n])
	switch rest := data[len(data)-n:]; {
	case !ok:
		return ""
	case typ == "prefix":
		return netip.PrefixFrom(addr, int(rest[0])).String()
	case typ == "addr-port":
		return netip.AddrPortFrom(addr, binary.LittleEndian.Uint16(rest)).String()
	}
	return addr.String()
}
