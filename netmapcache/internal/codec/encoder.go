package codec

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sync"
	"unicode/utf8"
)

// CBOR major types, in the top three bits of a head.
const (
	majorUint   = 0 << 5
	majorNegInt = 1 << 5
	majorBytes  = 2 << 5
	majorText   = 3 << 5
	majorArray  = 4 << 5
	majorMap    = 5 << 5
	majorTag    = 6 << 5
	majorSimple = 7 << 5
)

// Values of major type 7.
const (
	simpleFalse  = majorSimple | 20
	simpleTrue   = majorSimple | 21
	simpleNull   = majorSimple | 22
	simpleByte   = majorSimple | 24
	simpleFloat2 = majorSimple | 25
	simpleFloat4 = majorSimple | 26
	simpleFloat8 = majorSimple | 27
)

// An encoder appends values to buf.
//
// A method named after a type writes a value of that type, or null for nil. A method that
// ends in Field writes a field's number and value, or nothing for the zero value. The functions
// are for types that the compiler infers.
type encoder struct {
	buf    []byte
	fields int // fields of the innermost open map written so far

	keys []string // scratch for sorting, used as a stack

	touched int // keeps the compiler from removing the touch methods

	scratch  []byte // reused
	borrowed bool   // buf is scratch
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// newEncoder returns an encoder that appends to dst. If dst is nil, it uses a
// buffer that has already grown, and done makes a copy.
func newEncoder(dst []byte) *encoder {
	e := encoders.Get().(*encoder)
	e.buf, e.fields, e.borrowed = dst, 0, dst == nil
	if e.borrowed {
		e.buf = e.scratch[:0]
	}
	return e
}

// maxScratch is the size of the largest buffer that is kept.
const maxScratch = 1 << 20

// done returns the encoding. The encoder must not be used afterwards.
func (e *encoder) done() []byte {
	b := e.buf
	if e.borrowed {
		if cap(b) <= maxScratch {
			e.scratch = b
		}
		b = bytes.Clone(b)
	}
	e.buf = nil
	encoders.Put(e)
	return b
}

// appendHead appends a head of major type m with the shortest form of n.
func appendHead(b []byte, m byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, m|byte(n))
	case n < 1<<8:
		return append(b, m|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, m|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, m|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, m|27), n)
	}
}

func (e *encoder) head(m byte, n uint64) { e.buf = appendHead(e.buf, m, n) }
func (e *encoder) array(n int)           { e.head(majorArray, uint64(n)) }
func (e *encoder) null()                 { e.buf = append(e.buf, simpleNull) }

// An openMap is a map whose fields are being written.
type openMap struct {
	at    int // of its head
	outer int // encoder.fields of the map around it
}

// open begins a map with fields.
func (e *encoder) open() openMap {
	m := openMap{at: len(e.buf), outer: e.fields}
	e.buf = append(e.buf, majorMap)
	e.fields = 0
	return m
}

// close ends m by putting the number of its fields into its head. The head has to
// grow if there are many.
func (e *encoder) close(m openMap) {
	if e.fields < 24 {
		e.buf[m.at] |= byte(e.fields)
	} else {
		var head [9]byte
		e.buf = slices.Replace(e.buf, m.at, m.at+1, appendHead(head[:0], majorMap, uint64(e.fields))...)
	}
	e.fields = m.outer
}

// key begins a field of the map that is open.
func (e *encoder) key(num uint64) {
	e.fields++
	e.head(majorUint, num)
}

func (e *encoder) uint(v uint64) { e.head(majorUint, v) }

func (e *encoder) int(v int64) {
	if v < 0 {
		e.head(majorNegInt, ^uint64(v))
	} else {
		e.head(majorUint, uint64(v))
	}
}

func (e *encoder) bool(v bool) {
	if v {
		e.buf = append(e.buf, simpleTrue)
	} else {
		e.buf = append(e.buf, simpleFalse)
	}
}

// stringMajor returns the major type for s. CBOR's text is
// UTF-8 by definition, whereas Go's strings may be anything.
func stringMajor(s string) byte {
	if utf8.ValidString(s) {
		return majorText
	}
	return majorBytes
}

func (e *encoder) string(s string) {
	e.head(stringMajor(s), uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) bytes(b []byte) {
	e.head(majorBytes, uint64(len(b)))
	e.buf = append(e.buf, b...)
}

func (e *encoder) uintField(num, v uint64) {
	if v != 0 {
		e.key(num)
		e.uint(v)
	}
}

func (e *encoder) intField(num uint64, v int64) {
	if v != 0 {
		e.key(num)
		e.int(v)
	}
}

func (e *encoder) boolField(num uint64, v bool) {
	if v {
		e.key(num)
		e.bool(v)
	}
}

func (e *encoder) stringField(num uint64, s string) {
	if s != "" {
		e.key(num)
		e.string(s)
	}
}

func (e *encoder) bytesField(num uint64, b []byte) {
	if b != nil {
		e.key(num)
		e.bytes(b)
	}
}

type (
	signed interface {
		~int | ~int8 | ~int16 | ~int32 | ~int64
	}
	unsigned interface {
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
	}
	integer interface{ signed | unsigned }
)

func encodeBool[T ~bool](e *encoder, v T)     { e.bool(bool(v)) }
func encodeInt[T integer](e *encoder, v T)    { e.int(int64(v)) }
func encodeFloat[T ~float64](e *encoder, v T) { e.float(float64(v)) }
func encodeString[T ~string](e *encoder, v T) { e.string(string(v)) }

// encodeStrings writes list, or null if it is nil.
func encodeStrings[T ~string](e *encoder, list []T) {
	if list == nil {
		e.null()
		return
	}
	e.array(len(list))
	for _, s := range list {
		e.string(string(s))
	}
}

// encodeList writes list by calling value for each element, or null if list is
// nil.
func encodeList[T any](e *encoder, list []T, value func(*encoder, T)) {
	if list == nil {
		e.null()
		return
	}
	e.array(len(list))
	for _, v := range list {
		value(e, v)
	}
}

// encodeListOf returns encodeList for elements that value writes.
func encodeListOf[T any](value func(*encoder, T)) func(*encoder, []T) {
	return func(e *encoder, list []T) { encodeList(e, list, value) }
}

// encodeStructs is encodeList for structs that are held by value.
func encodeStructs[T any](e *encoder, list []T, value func(*encoder, *T)) {
	if list == nil {
		e.null()
		return
	}
	e.array(len(list))
	for i := range list {
		value(e, &list[i])
	}
}

// encodeStringMap writes m with the keys in the order of their encodings, or
// null if m is nil.
func encodeStringMap[K ~string, V any](e *encoder, m map[K]V, value func(*encoder, V)) {
	if m == nil {
		e.null()
		return
	}
	e.head(majorMap, uint64(len(m)))
	base := len(e.keys)
	for k := range m {
		e.keys = append(e.keys, string(k))
	}
	end := len(e.keys)
	slices.SortFunc(e.keys[base:end], compareStringKeys)
	for i := base; i < end; i++ {
		k := e.keys[i]
		e.string(k)
		value(e, m[K(k)])
	}
	clear(e.keys[base:end])
	e.keys = e.keys[:base]
}

// compareStringKeys orders strings as their encodings: by major type, then by
// length, which is in the head, then by content.
func compareStringKeys(a, b string) int {
	return cmp.Or(
		cmp.Compare(stringMajor(a), stringMajor(b)),
		cmp.Compare(len(a), len(b)),
		cmp.Compare(a, b),
	)
}

// encodeIntMap writes m with the keys in the order of their encodings, or null
// if m is nil.
func encodeIntMap[K integer, V any](e *encoder, m map[K]V, value func(*encoder, V)) {
	if m == nil {
		e.null()
		return
	}
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, int64(k))
	}
	slices.SortFunc(keys, compareIntKeys)
	e.head(majorMap, uint64(len(m)))
	for _, k := range keys {
		e.int(k)
		value(e, m[K(k)])
	}
}

// compareIntKeys orders integers as their encodings: 0, 1, 2, …, -1, -2, ….
func compareIntKeys(a, b int64) int {
	if a < 0 || b < 0 {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}
