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
; section 4.2.1. Two independent readers, of Go and of JavaScript, agree about what is
; taken (e2e/reader.test.mjs). A struct is a map from field numbers to values. Unless a comment
; says otherwise, a field is absent if it has its zero value, which for a list, a
; map or a byte string is nil, and not empty. A number never gets another meaning. A
; reader skips the ones that it doesn't know.
;
; The key -1 holds what a struct of tailscale.com has in the writer's build and has no number: the fields
; that don't have their zero value, by the names and in the forms of tailscale.com's own JSON. A reader takes
; a field from there, whether or not it knows a number for it, unless the number is there too.

; Value of the key "self". The digest is that of all bytes before the 16 bytes of
; the digest itself.
sealed-root = [root, digest]

; Values of all other keys. In a column, Kind is the number of what it holds in this
; list, from 1.
content = node / misc / dns-config / derp-map / filter / ssh-policy / peers / users
filter = [* filter-rule]
peers = [* node]
users = [* user]

; A snapshot in one file, as Cache.Export writes it: the value of the key "self",
; then those of the columns.
exported = [* bytes]

; SHA-256, truncated to 128 bits.
digest = bytes .size 16

; A string that isn't UTF-8 is a byte string.
str = text / bytes

; A string that begins like the other one named with it: a str; or, if that is all, the number of
; bytes that are the same; or that number and what follows.
stem = str / uint / [uint, str]

; NodePublic, MachinePublic or DiscoPublic without its prefix.
key = bytes .size 32

hash = bytes .size 32

; Seconds since the Unix epoch; with nanoseconds; and with the seconds east of
; UTC, if not zero.
time = int / [int, nanoseconds] / [int, nanoseconds, int]
nanoseconds = 0..999999999

; 4 bytes, 16 bytes, or 16 bytes and a zone; none for an invalid address.
addr = bytes .size 0 / bytes .size 4 / bytes .size (16..18446744073709551615)

; An addr with the port after it, in two bytes, the lower one first.
addr-port = bytes .size 2 / bytes .size 6 / bytes .size (18..18446744073709551615)

; An addr with the number of bits after it, in one byte, 255 for an invalid prefix.
prefix = bytes .size 1 / bytes .size 5 / bytes .size 17

; A JSON object.
json-object = text

; True, false, or what else an opt.Bool may hold.
opt-bool = bool / str
`
