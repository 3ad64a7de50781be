package netmapcache

import (
	"fmt"
	"reflect"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/types/netmap"
)

// PlaceForTest completes the entry of a column with the digest of its bytes, and
// returns its key.
func PlaceForTest(c *format.Column, data []byte) (key string) {
	c.Digest = digestOf(data)
	return columnKey(*c)
}

// CheckViewsForTest reports what is wrong with the views in nm: one that shows
// nothing where every netmap has something, or one of which a method panics.
func CheckViewsForTest(nm *netmap.NetworkMap) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a view panics: %v", p)
		}
	}()
	if !nm.SelfNode.Valid() {
		return fmt.Errorf("the self node is not valid")
	}
	callViews(reflect.ValueOf(nm.SelfNode))
	for i, p := range nm.Peers {
		if !p.Valid() {
			return fmt.Errorf("peer %d of %d is not valid", i, len(nm.Peers))
		}
		callViews(reflect.ValueOf(p))
	}
	for id, u := range nm.UserProfiles {
		if !u.Valid() {
			return fmt.Errorf("profile of user %d is not valid", id)
		}
		callViews(reflect.ValueOf(u))
	}
	callViews(reflect.ValueOf(nm.PacketFilterRules))
	nm.VeryConcise()
	return nil
}

// callViews calls the methods of v, a view, that take no argument, and does the
// same with the views that they return. A view inside another may show
// nothing, as the Hostinfo of a node without one.
func callViews(v reflect.Value) {
	if valid := v.MethodByName("Valid"); valid.IsValid() && !valid.Call(nil)[0].Bool() {
		return
	}
	for i := range v.NumMethod() {
		m := v.Method(i)
		if m.Type().NumIn() != 0 || m.Type().NumOut() != 1 {
			continue
		}
		if got := m.Call(nil)[0]; isView(got.Type()) {
			callViews(got)
		} else if got.Kind() == reflect.Slice && isView(got.Type().Elem()) {
			for j := range got.Len() {
				callViews(got.Index(j))
			}
		}
	}
}

// isView reports whether t is a view of a struct or of a list.
func isView(t reflect.Type) bool {
	_, ok := t.MethodByName("Valid")
	return ok || t.PkgPath() == "tailscale.com/types/views"
}
