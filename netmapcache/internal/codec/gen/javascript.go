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

// javascriptLeaves are the calls by which the JavaScript reader reads values without structure in the form of tailcfg's
// JSON. %v becomes true if a zero value should be an empty string, so that it can be left out.
var javascriptLeaves = map[reflect.Type]string{
	reflect.TypeFor[time.Time]():          "time(%v)",
	reflect.TypeFor[netip.Addr]():         "addr()",
	reflect.TypeFor[netip.AddrPort]():     "addrPort()",
	reflect.TypeFor[netip.Prefix]():       "prefix()",
	reflect.TypeFor[key.NodePublic]():     "key('nodekey:', %v)",
	reflect.TypeFor[key.MachinePublic]():  "key('mkey:', %v)",
	reflect.TypeFor[key.DiscoPublic]():    "key('discokey:', %v)",
	reflect.TypeFor[tka.AUMHash]():        "hash(%v)",
	reflect.TypeFor[format.Digest]():      "digest()",
	reflect.TypeFor[opt.Bool]():           "optBool()",
	reflect.TypeFor[tailcfg.RawMessage](): "json()",
	reflect.TypeFor[format.JSONObject]():  "jsonObject()",
	// These are strings in JavaScript if a number would be rounded.
	reflect.TypeFor[tailcfg.NodeID](): "id()",
	reflect.TypeFor[tailcfg.UserID](): "id()",
	reflect.TypeFor[time.Duration]():  "id()",
}

// javascriptImports are the functions of web/reader/decoder.js that the generated ones call.
const javascriptImports = "addr, addrPort, base64, bool, count, digest, field, float, hash, id, int, intKey, isZero, json, jsonObject, key, list, " +
	"map, notUTF8, nullable, optBool, other, prefix, skip, some, stem, string, text, time, uint"

// javascriptNames are the strings that the reader needs of a peer that it only checks: its ID and its names.
var javascriptNames = map[string]bool{
	"tailcfg.Node.StableID":     true,
	"tailcfg.Node.Name":         true,
	"tailcfg.Node.ComputedName": true, // others may begin like it
	"tailcfg.Hostinfo.Hostname": true,
}

// javascript returns the file of the JavaScript reader that depends on the types. For each struct it has a
// function that reads the struct and returns what tailcfg's JSON has in its place.
func (m *model) javascript() ([]byte, error) {
	var w writer
	w.line("// Made by go generate; do not edit.\n")
	w.line("import { %s } from './decoder.js';", javascriptImports)
	for _, s := range m.structs {
		if err := m.javascriptStruct(&w, s); err != nil {
			return nil, fmt.Errorf("JavaScript reader: %s.%w", s.typ, err)
		}
	}
	return w.Bytes(), nil
}

func (m *model) javascriptStruct(w *writer, s *structType) error {
	w.line("\nexport function %s() {", method(s.typ))
	zeros, err := javascriptZeros(s)
	if err != nil {
		return err
	}
	w.line("  const v = {%s};", zeros)
	var variables []string
	if slices.ContainsFunc(s.fields, func(f *field) bool { return f.jsonOmit != "" }) {
		variables = append(variables, "x")
	}
	for _, f := range s.fields {
		name := s.typ.String() + "." + f.Name
		if of := stems[name]; of != "" {
			variables = append(variables, "bytesOf"+of)
		}
		if defaults[name] != "" {
			variables = append(variables, "has"+f.Name)
		}
	}
	if variables != nil {
		w.line("  let %s;", strings.Join(variables, ", "))
	}
	w.line("  for (let left = count(), n = 0; left > 0; left--) {")
	w.line("    switch ((n = field(n))) {")
	for _, f := range s.fields {
		statement, err := m.javascriptField(s, f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		w.line("      case %d: %s break;", f.num, statement)
	}
	if s.carriesUnknown() {
		w.line("      default: other(n, v);")
	} else {
		w.line("      default: skip();")
	}
	w.line("    }")
	w.line("  }")
	for _, f := range s.fields {
		if of := defaults[s.typ.String()+"."+f.Name]; of != "" {
			w.line("  if (!has%s && v.%s) v.%s = v.%s.slice();", f.Name, of, f.Name, of)
		}
	}
	w.line("  return v;")
	w.line("}")
	return nil
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

// javascriptField returns the statements that read f.
func (m *model) javascriptField(s *structType, f *field) (string, error) {
	name, omit := f.jsonName, f.jsonOmit
	if name == "-" { // for the reader alone
		name = f.Name
	}
	full := s.typ.String() + "." + f.Name
	read, err := m.javascriptRead(f.Type, omit != "")
	if err != nil {
		return "", err
	}
	if read == "text()" && javascriptNames[full] {
		read = "string()"
	}
	if of := stems[full]; of != "" {
		read = fmt.Sprintf("stem(v.%s ?? '', bytesOf%s)", of, of)
	}
	statement := fmt.Sprintf("v.%s = %s;", name, read)
	if omit != "" {
		condition, err := javascriptCondition(f.Type, omit)
		if err != nil {
			return "", err
		}
		statement = fmt.Sprintf("if (%s) v.%s = x;", fmt.Sprintf(condition, "(x = "+read+")"), name)
	}
	for _, of := range stems {
		if of == f.Name && slices.ContainsFunc(s.fields, func(o *field) bool { return stems[s.typ.String()+"."+o.Name] == of }) {
			statement += fmt.Sprintf(" bytesOf%s = notUTF8();", of)
		}
	}
	if defaults[full] != "" {
		statement = fmt.Sprintf("has%s = true; ", f.Name) + statement
	}
	return statement, nil
}

// javascriptCondition returns the condition under which a value of type t is not left out, with %s
// in place of the value. x holds it then.
func javascriptCondition(t reflect.Type, omit string) (string, error) {
	_, leaf := javascriptLeaves[t]
	switch {
	case t == reflect.TypeFor[opt.Bool]():
		return "%s !== undefined", nil
	case t.Kind() == reflect.Float64:
		return "!isZero%s", nil
	case t.Kind() == reflect.Pointer, views[t] != nil:
		return "%s !== null", nil
	case isBytes(t):
		if omit == "omitempty" {
			return "%s", nil
		}
		return "%s !== null", nil
	case t.Kind() == reflect.Slice:
		if omit == "omitempty" {
			return "%s?.length", nil
		}
		return "%s !== null", nil
	case t.Kind() == reflect.Map && omit == "omitempty":
		return "some%s", nil
	case leaf && strings.Contains(javascriptLeaves[t], "%v") && omit == "omitzero",
		t.Kind() != reflect.Struct && t.Kind() != reflect.Map && !(leaf && t.Kind() == reflect.Array):
		return "%s", nil
	}
	return "", fmt.Errorf("%s of %v is not supported", omit, t)
}

// javascriptRead returns the expression that reads a value of type t. If omit is true, a zero value
// that has structure only in Go becomes an empty string.
func (m *model) javascriptRead(t reflect.Type, omit bool) (string, error) {
	if read, ok := javascriptLeaves[t]; ok {
		if strings.Contains(read, "%v") {
			read = strings.ReplaceAll(fmt.Sprintf(read, omit), ", false", "")
			read = strings.ReplaceAll(read, "(false)", "()")
		}
		return read, nil
	}
	if of := views[t]; of != nil {
		return m.javascriptCall("nullable", of)
	}
	switch t.Kind() {
	case reflect.Bool:
		return "bool()", nil
	case reflect.String:
		return "text()", nil
	case reflect.Float64:
		return "float()", nil
	case reflect.Int, reflect.Int64:
		return "int()", nil
	case reflect.Uint, reflect.Uint64:
		return "uint()", nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return fmt.Sprintf("uint(%d)", 1<<t.Bits()-1), nil
	case reflect.Struct:
		return method(t) + "()", nil
	case reflect.Pointer:
		return m.javascriptCall("nullable", t.Elem())
	case reflect.Slice:
		if isBytes(t) {
			return "base64()", nil
		}
		return m.javascriptCall("list", t.Elem())
	case reflect.Map:
		elem, err := m.javascriptFunc(t.Elem())
		keys := "string"
		if t.Key().Kind() != reflect.String {
			keys = "intKey"
		}
		return fmt.Sprintf("map(%s, %s)", keys, elem), err
	}
	return "", fmt.Errorf("%v is not supported", t)
}

// javascriptCall returns a call of a function that reads values of type t.
func (m *model) javascriptCall(function string, t reflect.Type) (string, error) {
	elem, err := m.javascriptFunc(t)
	return fmt.Sprintf("%s(%s)", function, elem), err
}

// javascriptFunc returns a function that reads a value of type t.
func (m *model) javascriptFunc(t reflect.Type) (string, error) {
	read, err := m.javascriptRead(t, false)
	if name, ok := strings.CutSuffix(read, "()"); ok && !strings.ContainsAny(name, "(") {
		return name, err
	}
	return "() => " + read, err
}
