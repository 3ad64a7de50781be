package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/opt"
)

// javascriptLeaves are the functions by which the JavaScript reader reads values without structure in the form of tailcfg's
// JSON. %v becomes true if a zero value should be an empty string, so that it can be left out.
var javascriptLeaves = map[reflect.Type]string{
	reflect.TypeFor[time.Time]():          "timeOf(%v)",
	reflect.TypeFor[netip.Addr]():         "addr",
	reflect.TypeFor[netip.AddrPort]():     "addrPort",
	reflect.TypeFor[netip.Prefix]():       "prefix",
	reflect.TypeFor[key.NodePublic]():     "keyOf('nodekey:', %v)",
	reflect.TypeFor[key.MachinePublic]():  "keyOf('mkey:', %v)",
	reflect.TypeFor[key.DiscoPublic]():    "keyOf('discokey:', %v)",
	reflect.TypeFor[tka.AUMHash]():        "hashOf(%v)",
	reflect.TypeFor[format.Digest]():      "digest",
	reflect.TypeFor[opt.Bool]():           "optBool",
	reflect.TypeFor[tailcfg.RawMessage](): "json",
	reflect.TypeFor[format.JSONObject]():  "jsonObject",
	// These are strings in JavaScript if a number would be rounded.
	reflect.TypeFor[tailcfg.NodeID](): "id",
	reflect.TypeFor[tailcfg.UserID](): "id",
	reflect.TypeFor[time.Duration]():  "id",
}

// javascriptImports are the functions of web/cache/reader/decoder.js that the generated ones call, javascriptTables those of
// web/cache/reader/tables.js.
const (
	javascriptImports = "addr, addrPort, base64, bool, digest, float, id, int, intKey, json, jsonObject, optBool, other, prefix, skip, text"
	javascriptTables  = "hashOf, keyOf, listOf, mapOf, nullableOf, stemOf, struct, timeOf, uintOf, zero"
)

// javascript returns the file of the JavaScript reader that depends on the types. For each struct it has a table of
// the fields, and of what they are in tailcfg's JSON.
func (m *model) javascript() ([]byte, error) {
	var w writer
	w.line("// Made by go generate; do not edit.\n")
	w.line("import { %s } from './decoder.js';", javascriptImports)
	w.line("import { %s } from './tables.js';", javascriptTables)
	written := make(map[reflect.Type]bool)
	for _, s := range m.structs {
		if err := m.javascriptStruct(&w, s, written); err != nil {
			return nil, fmt.Errorf("JavaScript reader: %w", err)
		}
	}
	return w.Bytes(), nil
}

// javascriptStruct writes what reads s, after those that it needs.
func (m *model) javascriptStruct(w *writer, s *structType, written map[reflect.Type]bool) error {
	if written[s.typ] {
		return nil
	}
	written[s.typ] = true
	zeros, err := javascriptZeros(s)
	if err != nil {
		return fmt.Errorf("%v.%w", s.typ, err)
	}
	rows := make([]string, 1+slices.MaxFunc(s.fields, func(a, b *field) int { return cmp.Compare(a.num, b.num) }).num)
	number := func(name string) int {
		return s.fields[slices.IndexFunc(s.fields, func(f *field) bool { return f.Name == name })].num
	}
	more := ""
	for _, f := range s.fields {
		full := s.typ.String() + "." + f.Name
		for _, of := range m.structs {
			if !written[of.typ] && mentions(f.Type, of.typ) {
				if err := m.javascriptStruct(w, of, written); err != nil {
					return err
				}
			}
		}
		name := f.jsonName
		if name == "-" { // for the reader alone
			name = f.Name
		}
		read, err := m.javascriptRead(f.Type, f.jsonOmit != "")
		if err != nil {
			return fmt.Errorf("%s: %w", full, err)
		}
		if of := stems[full]; of != "" {
			read = fmt.Sprintf("stemOf('%s', %d)", of, number(of))
		}
		row := fmt.Sprintf("'%s', %s", name, read)
		if f.jsonOmit != "" {
			omit, err := javascriptOmit(f.Type, f.jsonOmit)
			if err != nil {
				return fmt.Errorf("%s: %w", full, err)
			}
			row += ", " + omit
		}
		rows[f.num] = fmt.Sprintf("[%s]", row)
		if of := defaults[full]; of != "" {
			more = fmt.Sprintf(", %d, '%s'", f.num, of)
		}
	}
	unknown := "skip"
	if s.carriesUnknown() {
		unknown = "other"
	}
	w.line("\nexport const %s = struct(%s, () => ({%s}), [", method(s.typ), unknown, zeros)
	for _, row := range rows {
		w.line("  %s,", row)
	}
	w.line("]%s);", more)
	return nil
}

// mentions reports whether values of type t have some of type of in them.
func mentions(t, of reflect.Type) bool {
	if t == of {
		return true
	}
	if _, leaf := javascriptLeaves[t]; leaf {
		return false
	}
	if views[t] != nil {
		return mentions(views[t], of)
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return mentions(t.Elem(), of)
	}
	return false
}

// javascriptZeros returns the properties that s has in JSON when all its fields are zero.
func javascriptZeros(s *structType) (string, error) {
	var zeros []string
	for _, f := range slices.SortedFunc(slices.Values(s.fields), func(a, b *field) int { return cmp.Compare(a.Index[0], b.Index[0]) }) {
		if f.jsonOmit != "" || f.jsonName == "-" {
			continue
		}
		zero := reflect.Zero(f.Type)
		text, err := json.Marshal(zero.Interface())
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.Name, err)
		}
		if digest, ok := zero.Interface().(format.Digest); ok {
			text = fmt.Appendf(nil, "%q", fmt.Sprintf("%x", digest))
		}
		zeros = append(zeros, fmt.Sprintf(" %s: %s", f.jsonName, text))
	}
	if zeros == nil {
		return "", nil
	}
	return strings.Join(zeros, ",") + " ", nil
}

// javascriptOmit returns the value with which a field of type t is left out: zero stands for all that tables.js takes for zero.
func javascriptOmit(t reflect.Type, omit string) (string, error) {
	_, leaf := javascriptLeaves[t]
	switch {
	case t == reflect.TypeFor[opt.Bool]():
		return "undefined", nil
	case t.Kind() == reflect.Pointer, views[t] != nil, t.Kind() == reflect.Slice && omit == "omitzero":
		return "null", nil
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Map && omit == "omitempty",
		leaf && strings.Contains(javascriptLeaves[t], "%v") && omit == "omitzero",
		t.Kind() != reflect.Struct && t.Kind() != reflect.Map && !(leaf && t.Kind() == reflect.Array):
		return "zero", nil
	}
	return "", fmt.Errorf("%s of %v is not supported", omit, t)
}

// javascriptRead returns a function that reads a value of type t. If omit is true, a zero value
// that has structure only in Go becomes an empty string.
func (m *model) javascriptRead(t reflect.Type, omit bool) (string, error) {
	of := func(function string, t reflect.Type) (string, error) {
		read, err := m.javascriptRead(t, false)
		return fmt.Sprintf("%s%s)", function, read), err
	}
	if read, ok := javascriptLeaves[t]; ok {
		if strings.Contains(read, "%v") {
			read = fmt.Sprintf(read, omit)
		}
		return read, nil
	}
	if elem := views[t]; elem != nil {
		return of("nullableOf(", elem)
	}
	switch t.Kind() {
	case reflect.Bool:
		return "bool", nil
	case reflect.String:
		return "text", nil
	case reflect.Float64:
		return "float", nil
	case reflect.Int, reflect.Int64:
		return "int", nil
	case reflect.Uint, reflect.Uint64:
		return "uintOf()", nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return fmt.Sprintf("uintOf(%d)", 1<<t.Bits()-1), nil
	case reflect.Struct:
		return method(t), nil
	case reflect.Pointer:
		return of("nullableOf(", t.Elem())
	case reflect.Slice:
		if isBytes(t) {
			return "base64", nil
		}
		return of("listOf(", t.Elem())
	case reflect.Map:
		keys := "text"
		if t.Key().Kind() != reflect.String {
			keys = "intKey"
		}
		return of("mapOf("+keys+", ", t.Elem())
	}
	return "", fmt.Errorf("%v is not supported", t)
}
