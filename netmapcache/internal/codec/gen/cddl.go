package main

import (
	"fmt"
	"strings"
)

// cddl returns docs/format.cddl.
func (m *model) cddl() []byte {
	var w writer
	w.WriteString(cddlHead)
	for _, s := range m.structs {
		w.line("\n; %s", s.typ)
		w.line("%s = {", ruleName(s.typ))
		for _, f := range s.fields {
			entry := fmt.Sprintf("? %d: %s,", f.num, f.form)
			comment := f.Name
			if other := defaults[s.typ.String()+"."+f.Name]; other != "" {
				comment += "; absent if it is the same as " + other
			}
			if stem := stems[s.typ.String()+"."+f.Name]; stem != "" {
				comment += ", of " + stem
			}
			w.line("  %s ; %s", entry+strings.Repeat(" ", max(0, 36-len(entry))), comment)
		}
		if s.carriesUnknown() {
			w.line("  ? -1: json-object,                   ; fields that the writer's table lacks")
		}
		w.line("  * uint => any")
		w.line("}")
	}
	return w.Bytes()
}

const cddlHead = `; The format of netmapcache, in CDDL (RFC 8610).
; Made by go generate; do not edit.
;
; All values are encoded with the core deterministic requirements of RFC 8949,
; section 4.2.1. Two independent readers, in Go and in JavaScript, accept the same bytes
; (e2e/reader.test.mjs). A struct is a map from field numbers to values. Unless a comment
; says otherwise, a field is absent if it has its zero value. The zero value of a list, a
; map or a byte string is nil, not empty. A number never gets another meaning. A
; reader skips numbers that it doesn't know.
;
; The key -1 holds the fields of a struct of tailscale.com that have no number in the writer's build and don't have
; their zero value, with the names and in the forms of tailscale.com's own JSON. A reader takes
; a field from there, whether or not it knows a number for the field, unless the number is present too.

; Value of the key "self". The digest covers all bytes before the 16 bytes of
; the digest itself.
sealed-root = [root, digest]

; Values of all other keys. In a column, Kind is the place of the column's type in this
; list, counted from 1.
content = node / misc / dns-config / derp-map / filter / ssh-policy / peers / users
filter = [* filter-rule]
peers = [* node]
users = [* user]

; A snapshot in one file, as Cache.Export writes it: the value of the key "self",
; then the values of the columns.
exported = [* bytes]

; SHA-256, truncated to 128 bits.
digest = bytes .size 16

; A string that isn't UTF-8 is a byte string.
str = text / bytes

; A string that may begin like another string, which a comment names. It is a str; or the number of bytes that both
; have in common, if it has no others; or that number and the rest.
stem = str / uint / [uint, str]

; NodePublic, MachinePublic or DiscoPublic without its prefix.
key = bytes .size 32

hash = bytes .size 32

; Seconds since the Unix epoch, followed by nanoseconds and by seconds east of
; UTC, if these are not zero.
time = int / [int, nanoseconds] / [int, nanoseconds, int]
nanoseconds = 0..999999999

; 4 bytes, 16 bytes, or 16 bytes and a zone; none for an invalid address.
addr = bytes .size 0 / bytes .size 4 / bytes .size (16..18446744073709551615)

; An addr, followed by the port in two bytes, lower byte first.
addr-port = bytes .size 2 / bytes .size 6 / bytes .size (18..18446744073709551615)

; An addr, followed by the number of bits in one byte, which is 255 for an invalid prefix.
prefix = bytes .size 1 / bytes .size 5 / bytes .size 17

; A JSON object.
json-object = text

; True, false, or the text of an opt.Bool that is neither.
opt-bool = bool / str
`
