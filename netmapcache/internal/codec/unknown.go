package codec

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/types/netmap"
)

// If the build has a newer tailscale.com than the one that the table was made for, structs may have fields that the table
// lacks. These are written under one reserved key of their struct, as a text that is a JSON object. It has the fields that
// don't have their zero value, with the names and in the forms of tailcfg's own JSON, in which the control plane
// sends them.
//
// A reader takes from there the fields that the types of its build have and that no number has set. So it doesn't matter
// whether its table has a number for a field by then. It can't keep the rest.

// The reserved key is -1, which comes after all numbers.
const (
	unknownHead = majorNegInt
	unknownKey  = 1<<64 - 1 // stands for it among numbers
)

// An unknown describes the fields of a struct that the table lacks.
type unknown struct {
	typ    reflect.Type
	fields []jsonField                 // that the table lacks
	all    func() map[string]jsonField // all fields, by their names in JSON
}

// A jsonField is a field of a struct that encoding/json writes.
type jsonField struct {
	reflect.StructField
	name   string // in JSON
	quoted bool   // tagged to be JSON within a string
}

// unknownOf describes the fields of t that names doesn't contain. names begins with the name of t.
func unknownOf(t reflect.Type, names string) unknown {
	known := strings.Fields(names)[1:]
	u := unknown{typ: t, all: sync.OnceValue(func() map[string]jsonField {
		all := make(map[string]jsonField)
		for i := range t.NumField() {
			if f, ok := jsonFieldOf(t.Field(i)); ok {
				all[f.name] = f
			}
		}
		return all
	})}
	for i := range t.NumField() {
		if f := t.Field(i); !slices.Contains(known, f.Name) {
			if f, ok := jsonFieldOf(f); ok {
				u.fields = append(u.fields, f)
			}
		}
	}
	return u
}

// jsonFieldOf returns f as a jsonField. ok is false if encoding/json doesn't write f.
func jsonFieldOf(f reflect.StructField) (jsonField, bool) {
	tag := f.Tag.Get("json")
	name, options, _ := strings.Cut(tag, ",")
	if name == "" {
		name = f.Name
	}
	quoted := slices.Contains(strings.Split(options, ","), "string")
	return jsonField{f, name, quoted}, f.IsExported() && tag != "-"
}

// encode writes the fields of the struct at v that the table lacks, if any are set.
func (u *unknown) encode(e *encoder, v unsafe.Pointer) {
	if len(u.fields) > 0 && u.set(v) {
		u.encodeSet(e, v)
	}
}

func (u *unknown) encodeSet(e *encoder, v unsafe.Pointer) {
	if text := u.marshal(u.at(v)); text != "" {
		e.fields++
		e.buf = append(e.buf, unknownHead)
		e.string(string(text))
	}
}

// at returns the struct at v.
func (u *unknown) at(v unsafe.Pointer) reflect.Value { return reflect.NewAt(u.typ, v).Elem() }

// set reports whether any bit of the fields is set in v.
func (u *unknown) set(v unsafe.Pointer) bool {
	for i := range u.fields {
		f := &u.fields[i]
		for _, b := range unsafe.Slice((*byte)(unsafe.Add(v, f.Offset)), f.Type.Size()) {
			if b != 0 {
				return true
			}
		}
	}
	return false
}

// noJSON stands for values that JSON can't express, such as infinity. It can't be read, so such values are not lost
// unnoticed: see Check.
const noJSON = "null"

// marshal returns the fields of v that are not zero and whose types have JSON, if any.
func (u *unknown) marshal(v reflect.Value) format.JSONObject {
	var text []byte
	for _, f := range u.fields {
		x := v.FieldByIndex(f.Index)
		if x.IsZero() {
			continue
		}
		value, err := json.Marshal(x.Interface())
		if noType := (*json.UnsupportedTypeError)(nil); errors.As(err, &noType) {
			continue
		}
		if err == nil && f.quoted && value[0] != '"' {
			value, err = json.Marshal(string(value))
		}
		if err != nil {
			return noJSON
		}
		text = append(strconv.AppendQuote(append(text, ','), f.name), ':')
		text = append(text, value...)
	}
	if text == nil {
		return ""
	}
	text[0] = '{'
	return format.JSONObject(append(text, '}'))
}

// decode reads what encode wrote.
func (u *unknown) decode(d *decoder, v unsafe.Pointer) {
	var text format.JSONObject
	if d.jsonObject(&text); d.err == nil {
		u.unmarshal(text, u.at(v))
	}
}

// unmarshal sets the fields of v that are in text and are zero. It ignores what v doesn't have in this build,
// or has in another form.
func (u *unknown) unmarshal(text format.JSONObject, v reflect.Value) {
	var members map[string]json.RawMessage
	if text == "" || json.Unmarshal([]byte(text), &members) != nil {
		return
	}
	for name, value := range members {
		f, ok := u.all()[name]
		if !ok || !v.FieldByIndex(f.Index).IsZero() {
			continue
		}
		var inner string
		if f.quoted && json.Unmarshal(value, &inner) == nil {
			value = []byte(inner)
		}
		x := reflect.New(f.Type)
		if json.Unmarshal(value, x.Interface()) == nil {
			v.FieldByIndex(f.Index).Set(x.Elem())
		}
	}
}

func (e *encoder) jsonObjectField(num uint64, v format.JSONObject) { e.stringField(num, string(v)) }

func (d *decoder) jsonObject(p *format.JSONObject) {
	if d.peekMajor() != majorText {
		d.wrongType("text string")
	}
	s := d.string()
	if d.err == nil && !(strings.HasPrefix(s, "{") && json.Valid([]byte(s))) {
		d.fail("not a JSON object")
	}
	*p = format.JSONObject(s)
}

// The fields of NetworkMap that have a column or follow from others.
const netmapNames = "netmap.NetworkMap Cached SelfNode AllCaps NodeKey MachineKey Peers DNS PacketFilter PacketFilterRules" +
	" SSHPolicy CollectServices DERPMap DisplayMessages TKAEnabled TKAHead Domain DomainAuditLogID UserProfiles"

var netmapUnknown = unknownOf(reflect.TypeFor[netmap.NetworkMap](), netmapNames)

// UnknownNetmapFields returns the fields of nm that have no column, if any are set.
func UnknownNetmapFields(nm *netmap.NetworkMap) format.JSONObject {
	return netmapUnknown.marshal(netmapUnknown.at(unsafe.Pointer(nm)))
}

// SetUnknownNetmapFields sets the fields of nm that [UnknownNetmapFields] returned, if nm has them.
func SetUnknownNetmapFields(nm *netmap.NetworkMap, fields format.JSONObject) {
	netmapUnknown.unmarshal(fields, netmapUnknown.at(unsafe.Pointer(nm)))
}
