package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"path"
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

// roots are the types of the stored values. All types that can be
// reached from them are stored too.
var roots = []reflect.Type{
	reflect.TypeFor[format.Root](),
	reflect.TypeFor[tailcfg.Node](),
	reflect.TypeFor[format.Misc](),
	reflect.TypeFor[tailcfg.DNSConfig](),
	reflect.TypeFor[tailcfg.DERPMap](),
	reflect.TypeFor[tailcfg.FilterRule](),
	reflect.TypeFor[tailcfg.SSHPolicy](),
	reflect.TypeFor[format.User](),
}

// A leaf is a type that package codec handles by hand.
type leaf struct {
	method string // of encoder and decoder; the encoder has another, with Field at its end
	cddl   string
}

var leaves = map[reflect.Type]leaf{
	reflect.TypeFor[time.Time]():         {"time", "time"},
	reflect.TypeFor[netip.Addr]():        {"addr", "addr"},
	reflect.TypeFor[netip.AddrPort]():    {"addrPort", "addr-port"},
	reflect.TypeFor[netip.Prefix]():      {"prefix", "prefix"},
	reflect.TypeFor[key.NodePublic]():    {"nodeKey", "key"},
	reflect.TypeFor[key.MachinePublic](): {"machineKey", "key"},
	reflect.TypeFor[key.DiscoPublic]():   {"discoKey", "key"},
	reflect.TypeFor[tka.AUMHash]():       {"aumHash", "hash"},
	reflect.TypeFor[format.Digest]():     {"digest", "digest"},
	reflect.TypeFor[opt.Bool]():          {"optBool", "opt-bool"},
	reflect.TypeFor[format.JSONObject](): {"jsonObject", "json-object"},
}

// views maps the views that occur inside of structs to their structs.
var views = map[reflect.Type]reflect.Type{
	reflect.TypeFor[tailcfg.HostinfoView](): reflect.TypeFor[tailcfg.Hostinfo](),
}

// defaults maps fields, by type and name, to another field of the same type,
// netip.Prefixes. If such a field is absent, it has the value of the other. It is written as null if it is nil
// and the other isn't.
var defaults = map[string]string{
	"tailcfg.Node.AllowedIPs": "Addresses",
}

// stems maps string fields, by type and name, to another string field with a lower number. Their values
// mostly begin alike.
var stems = map[string]string{
	"tailcfg.Node.ComputedName":         "Name",
	"tailcfg.Node.ComputedNameWithHost": "ComputedName",
}

// short maps the element types of lists that are mostly short, and that nodes have several of, to the
// decoder's field that they are cut from.
var short = map[reflect.Type]string{
	reflect.TypeFor[netip.Prefix]():    "prefixes",
	reflect.TypeFor[netip.AddrPort]():  "addrPorts",
	reflect.TypeFor[tailcfg.Service](): "services",
}

// slabs maps structs that each node has one of to the decoder's field that they are cut from.
var slabs = map[reflect.Type]string{
	reflect.TypeFor[tailcfg.Hostinfo](): "hostinfos",
}

// shared maps fields, by type and name, to the decoder's field with the values that nodes share.
var shared = map[string]string{
	"tailcfg.Node.CapMap": "capMaps",
}

// unexported are the fields that can't be stored, and needn't be.
var unexported = map[string]bool{
	"tailcfg.Node.computedHostIfDifferent": true, // rebuilt by InitDisplayNames
	"tailcfg.NetPortRange._":               true,
	"tailcfg.Service._":                    true,
}

// A model is all types that are stored.
type model struct {
	structs []*structType // in the order of docs/format.cddl
	byType  map[reflect.Type]*structType
	imports map[string]string // package name to path
}

// A structType is a struct that is stored.
type structType struct {
	typ    reflect.Type
	fields []*field // in order of their numbers
}

// carriesUnknown reports whether values of s may have fields that no table has. The structs of
// package format can't, since they are this module's own.
func (s *structType) carriesUnknown() bool {
	return s.typ.PkgPath() != reflect.TypeFor[format.Root]().PkgPath()
}

// A field is a field of a stored struct. Its type's leaves, views, defaults and stems are
// in the maps above.
type field struct {
	reflect.StructField
	num  int
	form string // CDDL of the value if it is present

	// How encoding/json writes it: the name of the member, and whether the member is left out if the value
	// is the zero value ("omitzero"), or if it is false, 0, nil or of length 0 ("omitempty").
	jsonName string
	jsonOmit string
}

func newModel() *model {
	return &model{byType: map[reflect.Type]*structType{}, imports: map[string]string{"reflect": "reflect", "slices": "slices", "unsafe": "unsafe"}}
}

// add adds t and all that can be reached from it.
func (m *model) add(t reflect.Type) error {
	if err := m.addImport(t); err != nil {
		return err
	}
	if _, ok := leaves[t]; ok {
		return nil
	}
	if of, ok := views[t]; ok {
		return m.add(of)
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil
	case reflect.Pointer, reflect.Slice:
		return m.add(t.Elem())
	case reflect.Map:
		if k := t.Key().Kind(); k != reflect.String && (k < reflect.Int || k > reflect.Int64) {
			return fmt.Errorf("map key %v is not supported", t.Key())
		}
		return errors.Join(m.add(t.Key()), m.add(t.Elem()))
	case reflect.Struct:
		return m.addStruct(t)
	}
	return fmt.Errorf("type %v is not supported", t)
}

// addImport makes t's package known to the generated files.
func (m *model) addImport(t reflect.Type) error {
	p := t.PkgPath()
	if p == "" {
		return nil
	}
	name := path.Base(p)
	if other := m.imports[name]; other != "" && other != p {
		return fmt.Errorf("packages %s and %s have the same name", other, p)
	}
	m.imports[name] = p
	return nil
}

func (m *model) addStruct(t reflect.Type) error {
	if m.byType[t] != nil {
		return nil
	}
	s := &structType{typ: t}
	m.byType[t] = s
	m.structs = append(m.structs, s)
	for i := range t.NumField() {
		f := t.Field(i)
		name := t.String() + "." + f.Name
		if !f.IsExported() {
			if !unexported[name] {
				return fmt.Errorf("%s is unexported: it has to be rebuilt on load, or to be irrelevant", name)
			}
			continue
		}
		if f.Type.Kind() == reflect.Struct && !f.Type.Comparable() {
			return fmt.Errorf("%s: a struct that can't be compared is only supported in pointers, lists and maps", name)
		}
		if err := m.add(f.Type); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		name, omit := jsonTag(f)
		s.fields = append(s.fields, &field{StructField: f, form: fieldForm(t.String()+"."+f.Name, f.Type), jsonName: name, jsonOmit: omit})
	}
	return nil
}

// jsonTag returns the name that f has in JSON, and the option that says when it is left out, if any.
func jsonTag(f reflect.StructField) (name, omit string) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	for option := range strings.SplitSeq(options, ",") {
		if option == "omitzero" || option == "omitempty" {
			omit = option
		}
	}
	return cmp.Or(name, f.Name), omit
}

// assign takes the numbers of all fields from t, and appends new ones to t.
func (m *model) assign(t *table) error {
	for _, s := range m.structs {
		for _, f := range s.fields {
			l, err := t.number(s.typ.String(), f.Name, f.form)
			if err != nil {
				return err
			}
			f.num = l.num
		}
		slices.SortFunc(s.fields, func(a, b *field) int { return cmp.Compare(a.num, b.num) })
	}
	for _, l := range t.lines {
		i := slices.IndexFunc(m.structs, func(s *structType) bool { return s.typ.String() == l.typ })
		known := i >= 0 && slices.ContainsFunc(m.structs[i].fields, func(f *field) bool { return f.num == l.num })
		if !l.retired && !known {
			return fmt.Errorf("%s.%s is gone: mark its line in fields.txt as retired", l.typ, l.field)
		}
	}
	return nil
}

// fieldForm returns the CDDL of a field's value if it is present.
func fieldForm(name string, t reflect.Type) string {
	if stems[name] != "" {
		return "stem"
	}
	form := typeForm(t)
	if defaults[name] != "" {
		form += " / null"
	}
	return form
}

// typeForm returns the CDDL of values of type t that are not nil.
func typeForm(t reflect.Type) string {
	if l, ok := leaves[t]; ok {
		return l.cddl
	}
	if of, ok := views[t]; ok {
		return typeForm(of)
	}
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.String:
		return "str"
	case reflect.Float64:
		return "float"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "uint"
	case reflect.Pointer:
		return typeForm(t.Elem())
	case reflect.Slice:
		if isBytes(t) {
			return "bytes"
		}
		return "[* " + elemForm(t.Elem()) + "]"
	case reflect.Map:
		return "{* " + typeForm(t.Key()) + " => " + elemForm(t.Elem()) + "}"
	}
	return ruleName(t)
}

// elemForm returns the CDDL of elements of lists and maps, which can't be absent.
func elemForm(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return typeForm(t) + " / null"
	}
	return typeForm(t)
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// ruleName returns the CDDL name of a struct: "ssh-policy" for tailcfg.SSHPolicy.
func ruleName(t reflect.Type) string {
	name := t.Name()
	lower := func(i int) bool { return i < len(name) && 'a' <= name[i] && name[i] <= 'z' }
	var b strings.Builder
	for i := range len(name) {
		if i > 0 && !lower(i) && (lower(i-1) || lower(i+1)) {
			b.WriteByte('-')
		}
		b.WriteByte(name[i])
	}
	return strings.ToLower(b.String())
}
