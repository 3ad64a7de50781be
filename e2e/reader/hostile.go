package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// pieces are bytes that mutations put in: values of every kind, heads that promise more than there is, and what isn't CBOR.
var pieces = unhex(
	"00", "01", "17", "1818", "1903e8", "1a000f4240", "1b000000e8d4a51000", "1bffffffffffffffff", "1b7fffffffffffffff", "1b001fffffffffffff", "1b0020000000000000",
	"20", "38ff", "3b7fffffffffffffff", "3bffffffffffffffff", "3b001fffffffffffff",
	"40", "41ff", "44c0a80001", "50fe800000000000000000000000000001", "5000000000000000000000ffff01020304", "58206162636465666768696a6b6c6d6e6f707172737475767778797a30313233343536",
	"52fe80000000000000000000000000000165", "45c0a8000120", "46c0a800010050",
	"60", "6161", "62c3bc", "61ff", "63e282ac", "62e282", "64f09f98ba", "63eda080", "695f5f70726f746f5f5f", "6774797065206f66", "627b7d", "657b2261227d", "6a7b2261223a312c7d", "697b2261223a317d20", "727b224e616d65223a224261746d616e222c22", "20627b7d", "20697b224e6577223a317d",
	"80", "81f6", "820105", "8301021903e8", "83010239021c", "83000001", "820000", "8101", "9fff", "9f01ff", "9bffffffffffffffff", "9a00ffffff",
	"a0", "a10101", "a1616101", "a2010102f6", "a20202010a", "a1f600", "bfff", "bf0101ff", "bbffffffffffffffff", "a118c863666f6f", "a11b00000001000000000a",
	"c000", "c1fb41d452d9e20000", "f4", "f5", "f6", "f7", "f820", "f800", "f90000", "f97e00", "f97c00", "f98000", "f90001", "fa7fc00000", "fa3fc00000", "fb7ff8000000000001", "fb3ff8000000000000", "fbfff0000000000000",
	"5f41ff41fe ff", "7f6161ff", "7f41ffff", "ff", "fc", "1c", "3d", "5e",
)

func unhex(list ...string) (all [][]byte) {
	for _, text := range list {
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		check(err)
		all = append(all, b)
	}
	return all
}

// hostile writes snapshots whose columns were made to harm who reads them.
func (w *writer) hostile() {
	db := small()
	w.writeBase(db, "to be made hostile")
	root := openRoot(db["self"])
	repeated := func(head, piece string, n int) []byte {
		h, p := unhex(head)[0], unhex(piece)[0]
		return slices.Concat(h, bytes.Repeat(p, n))
	}
	columns := map[string][]byte{
		"deep arrays":               repeated("a118c8", "81", 100_000),
		"deep arrays, whole":        slices.Concat(repeated("a118c8", "81", 31), []byte{0}),
		"deep arrays, one too deep": slices.Concat(repeated("a118c8", "81", 32), []byte{0}),
		"deep indefinite":           repeated("a118c8", "9f", 100_000),
		"deep tags":                 repeated("a118c8", "c1", 100_000),
		"many nulls":                repeated("9a000186a0", "f6", 100_000),
		"many empty maps":           repeated("9a000186a0", "a0", 100_000),
		"few empty maps":            repeated("990064", "a0", 100),
		"many empty lists":          repeated("9a000186a0", "80", 100_000),
		"long indefinite":           repeated("a118c89f", "00", 100_000),
		"long indefinite, whole":    slices.Concat(repeated("a118c89f", "00", 100_000), []byte{0xff}),
		"promise of bytes":          unhex("a118c85b7fffffffffffffff")[0],
		"promise of text":           unhex("a118c87bffffffffffffffff")[0],
		"promise of a map":          unhex("bb7fffffffffffffff")[0],
		"many empty maps in a list": repeated("a1099a000186a0", "a0", 100_000),
		"invalid text":              slices.Concat(unhex("a103 5a000186a0")[0], bytes.Repeat([]byte{0xff}, 100_000)),
	}
	for _, p := range pieces {
		columns[hex.EncodeToString(p)] = p
		for _, field := range []string{"a101", "a102", "a103", "a105", "a106", "a109", "a10a", "a10b", "a10c", "a10d", "a114", "81a101", "81a102", "81a103", "a118c8", "a11819", "a1120182", "a120"} {
			columns[field+hex.EncodeToString(p)] = slices.Concat(unhex(field)[0], p)
		}
	}
	for name, address := range map[string]string{"many ranges": "::1-ff::fffe", "ranges of IPv4": "10.0.0.1-10.255.255.254", "no ranges": "10.0.0.1-::1", "whole range": "::-ffff::",
		"mapped range": "::ffff:1.2.3.4-::ffff:2.0.0.0"} {
		for _, n := range []int{1000, 3000, 3500, 20_000} {
			text := append([]byte{0x60 | byte(len(address))}, address...)
			if len(address) > 23 {
				text = append([]byte{0x78, byte(len(address))}, address...)
			}
			columns[fmt.Sprintf("%d of %s", n, name)] = slices.Concat(unhex("81a101")[0], []byte{0x99, byte(n >> 8), byte(n)}, bytes.Repeat(text, n))
		}
	}
	for i := range root.columns() {
		for name, data := range columns {
			w.write(root.with(db, i, data), "%s: %s", root.key(i), name)
		}
	}
}
