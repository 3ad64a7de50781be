//go:build !js

package codec

import (
	"io"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"tailscale.com/tailcfg"
)

// A viewReader finds the structs behind views. They must not be changed.
//
// A view gives its struct away in one place only: its MarshalJSONTo hands the
// pointer to the JSON package, and with it to any marshal function among the
// encoder's options. That is many times cheaper than a clone.
//
// Should a version of tailscale.com not marshal the struct itself, the marshal
// function isn't called, and the struct is cloned.
type viewReader struct {
	enc *jsontext.Encoder // nil once a struct had to be cloned

	// Set by the marshal functions; nil between calls.
	node     *tailcfg.Node
	hostinfo *tailcfg.Hostinfo
	user     *tailcfg.UserProfile
}

func newViewReader() *viewReader {
	r := new(viewReader)
	r.enc = jsontext.NewEncoder(io.Discard, jsonv2.WithMarshalers(jsonv2.JoinMarshalers(
		capture(&r.node), capture(&r.hostinfo), capture(&r.user),
	)))
	return r
}

// capture returns a marshaler that keeps the pointer to the T that it is to
// marshal, and marshals a null.
func capture[T any](into **T) *jsonv2.Marshalers {
	return jsonv2.MarshalToFunc(func(enc *jsontext.Encoder, v *T) error {
		*into = v
		return enc.WriteToken(jsontext.Null)
	})
}

// structOf returns the struct behind v, a valid view: the pointer that v's
// MarshalJSONTo leaves in captured, or else a clone.
func structOf[T any, V interface {
	MarshalJSONTo(*jsontext.Encoder) error
}](r *viewReader, v V, captured **T, clone func(V) *T) *T {
	if r.enc == nil {
		return clone(v)
	}
	err := v.MarshalJSONTo(r.enc)
	p := *captured
	*captured = nil
	if err != nil || p == nil {
		r.enc = nil
		return clone(v)
	}
	return p
}

// nodeOf returns the struct behind v, or nil if v is invalid.
func (r *viewReader) nodeOf(v tailcfg.NodeView) *tailcfg.Node {
	if !v.Valid() {
		return nil
	}
	return structOf(r, v, &r.node, cloneNode)
}

// hostinfoOf is like nodeOf.
func (r *viewReader) hostinfoOf(v tailcfg.HostinfoView) *tailcfg.Hostinfo {
	if !v.Valid() {
		return nil
	}
	return structOf(r, v, &r.hostinfo, tailcfg.HostinfoView.AsStruct)
}

// userOf is like nodeOf.
func (r *viewReader) userOf(v tailcfg.UserProfileView) *tailcfg.UserProfile {
	if !v.Valid() {
		return nil
	}
	return structOf(r, v, &r.user, tailcfg.UserProfileView.AsStruct)
}
