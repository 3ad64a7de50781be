package main

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
	"tailscale.com/types/opt"
)

// toJSON writes what encoding/json writes. It also accepts values that encoding/json refuses, since one
// peer's value must not hide all other peers: it writes a year above 9999 as ECMAScript does, with a sign and
// six digits, and an opt.Bool that is neither true nor false as a string.
var toJSON = json.JoinOptions(
	jsonv1.DefaultOptionsV1(),
	jsontext.EscapeForHTML(false),
	json.WithMarshalers(json.JoinMarshalers(
		json.MarshalToFunc(func(e *jsontext.Encoder, t time.Time) error {
			if _, err := t.MarshalJSON(); err == nil {
				return errors.ErrUnsupported
			}
			t = t.UTC()
			return e.WriteToken(jsontext.String(fmt.Sprintf("%+07d", t.Year()) + t.Format("-01-02T15:04:05.999999999Z07:00")))
		}),
		json.MarshalToFunc(func(e *jsontext.Encoder, b opt.Bool) error {
			if _, err := b.MarshalJSON(); err == nil {
				return errors.ErrUnsupported
			}
			return e.WriteToken(jsontext.String(string(b)))
		}),
		json.MarshalToFunc(func(e *jsontext.Encoder, n stdjson.Number) error { // otherwise it would be a string
			return e.WriteValue(jsontext.Value(n))
		}),
	)),
)

// printJSON writes v to w as indented JSON.
func printJSON(w io.Writer, v any) error {
	return writeJSON(w, v, jsontext.WithIndent("  "))
}

// printLine writes v to w as JSON in one line.
func printLine(w io.Writer, v any) error { return writeJSON(w, v) }

func writeJSON(w io.Writer, v any, opts ...json.Options) error {
	e := &escaper{w: w}
	if err := json.MarshalWrite(e, v, append(opts, toJSON)...); err != nil {
		return err
	}
	_, err := e.Write([]byte("\n"))
	return err
}

// An escaper writes JSON text to w, and escapes what isn't visible. Such characters
// can only occur in strings.
type escaper struct {
	w    io.Writer
	rest []byte // the beginning of a rune
	buf  []byte
}

func (e *escaper) Write(p []byte) (int, error) {
	text := append(e.rest, p...)
	e.buf = e.buf[:0]
	for len(text) > 0 && utf8.FullRune(text) {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '\n' || visible(r):
			e.buf = append(e.buf, text[:n]...)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			e.buf = fmt.Appendf(e.buf, `\u%04x\u%04x`, hi, lo)
		default:
			e.buf = fmt.Appendf(e.buf, `\u%04x`, r)
		}
		text = text[n:]
	}
	e.rest = append([]byte(nil), text...)
	if _, err := e.w.Write(e.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

// unmarshalExactly is encoding/json's Unmarshal, except that numbers stay as they are, since
// a float64 can't represent large IDs.
func unmarshalExactly(text []byte, v any) error {
	d := stdjson.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}
