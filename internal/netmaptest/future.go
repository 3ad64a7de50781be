package netmaptest

import (
	"math/rand/v2"
	"reflect"
	"strings"
)

// FillFuture fills, in the way of [FillJSON], all fields in what v points to whose names begin with Future. tools/future
// adds such fields to tailscale.com. FillFuture returns the fields, by type and name, each once.
func FillFuture(rng *rand.Rand, v any) []string {
	w := &future{filler: &filler{Rand: rng, json: true}, seen: make(map[string]bool)}
	w.walk(reflect.ValueOf(v).Elem())
	return w.fields
}

type future struct {
	*filler
	seen   map[string]bool
	fields []string
}

func (w *future) walk(v reflect.Value) {
	t := v.Type()
	if isLeaf(t) {
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			w.walk(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			w.walk(v.Index(i))
		}
	case reflect.Map:
		for _, k := range sortedKeys(v) {
			w.walk(addressable(v.MapIndex(k))) // a pointer, where it matters
		}
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if !strings.HasPrefix(f.Name, "Future") || f.Type.Kind() == reflect.Func {
				w.walk(field(v, i))
				continue
			}
			if name := t.String() + "." + f.Name; !w.seen[name] {
				w.seen[name] = true
				w.fields = append(w.fields, name)
			}
			if f.Type.Kind() == reflect.Slice || f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Pointer {
				v.Field(i).SetZero()
			}
			for v.Field(i).IsZero() { // so that none is left out
				w.fill(v.Field(i), true)
			}
		}
	}
}
