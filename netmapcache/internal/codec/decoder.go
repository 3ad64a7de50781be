package codec

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"tailscale.com/tailcfg"
)

// An Error says why bytes can't be decoded. It doesn't contain the bytes.
type Error struct {
	Where string // the value it is about, as in "tailcfg.Node.Addresses"; empty if it is about all values
	Err   error
}

func (e *Error) Error() string {
	if e.Where == "" {
		return e.Err.Error()
	}
	return e.Where + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// A decoder reads values from s. After the first error, err is set, and all
// methods return zero values.
//
// A method named after a type reads a value of that type into its argument. The functions are
// for types that the compiler infers.
type decoder struct {
	s    string // strings are cut from it
	pos  int
	maps int // how many maps may still come

	err   error
	where string // what err is about

	// Short lists are cut from these.
	strings   []string
	bytesLeft []byte
	prefixes  []netip.Prefix
	addrPorts []netip.AddrPort
	services  []tailcfg.Service

	// Values that each node has one of are cut from these.
	nodes     []tailcfg.Node
	hostinfos []tailcfg.Hostinfo
	toCome    int // nodes in the list that is being read

	capMaps []shared[tailcfg.NodeCapMap] // of the nodes so far
}

var errNull = errors.New("null in place of a value")

// decodeAll decodes all of data by value. what names data in errors that
// are not about a field. Strings in the result refer to data.
func decodeAll[T any](data []byte, what string, value func(*decoder) T) (T, error) {
	if len(data) > MaxBytes {
		var zero T
		return zero, &Error{Where: what, Err: errTooLong}
	}
	return decodeAny(data, what, value)
}

// decodeAny is decodeAll for data of any length.
func decodeAny[T any](data []byte, what string, value func(*decoder) T) (T, error) {
	var zero T
	d := &decoder{s: unsafe.String(unsafe.SliceData(data), len(data)), maps: maxMaps(len(data))}
	if d.null() {
		return zero, &Error{Where: what, Err: errNull}
	}
	v := value(d)
	if d.pos < len(d.s) {
		d.fail("bytes after the value")
	}
	if d.err != nil {
		return zero, &Error{Where: cmp.Or(d.where, what), Err: d.err}
	}
	return v, nil
}

// decodeOne decodes all of data as a T.
func decodeOne[T any](data []byte, value func(*decoder, *T)) (*T, error) {
	return decodeAll(data, "", func(d *decoder) *T { return decodeNew(d, value) })
}

// decodeAllOf decodes all of data as a list.
func decodeAllOf[T any](data []byte, what string, value func(*decoder, *T)) ([]T, error) {
	return decodeAll(data, what, func(d *decoder) (list []T) {
		decodeList(d, &list, value)
		return list
	})
}

func (d *decoder) fail(text string) {
	if d.err == nil {
		d.err = errors.New(text)
	}
}

// wrongType fails because the next value isn't the wanted one.
func (d *decoder) wrongType(want string) {
	if d.err == nil {
		d.err = fmt.Errorf("want %s, got %s", want, d.kind())
	}
}

// kind names the kind of the next value.
func (d *decoder) kind() string {
	if d.pos >= len(d.s) {
		return "nothing"
	}
	b := d.s[d.pos]
	switch b {
	case simpleFalse, simpleTrue:
		return "bool"
	case simpleNull:
		return "null"
	case simpleFloat2, simpleFloat4, simpleFloat8:
		return "float"
	}
	return [...]string{"unsigned integer", "negative integer", "byte string", "text string",
		"array", "map", "tag", "simple value"}[b>>5]
}

// takeMaps counts n maps that come, and reports whether they are allowed.
func (d *decoder) takeMaps(n int) bool {
	if d.err == nil && n > d.maps {
		d.err = errMaps
	}
	if d.err != nil {
		return false
	}
	d.maps -= n
	return true
}

// peekMajor returns the major type of the next value.
func (d *decoder) peekMajor() byte {
	if d.err != nil || d.pos >= len(d.s) {
		return majorSimple
	}
	return d.s[d.pos] & 0xe0
}

// null reads a null if the next value is one, and reports whether it was.
func (d *decoder) null() bool {
	if d.err == nil && d.pos < len(d.s) && d.s[d.pos] == simpleNull {
		d.pos++
		return true
	}
	return false
}

// head reads a head of major type m, and returns its argument. It fails if another value or one of indefinite length comes next.
// The error then says that want was wanted.
func (d *decoder) head(m byte, want string) uint64 {
	if d.err != nil {
		return 0
	}
	if d.pos >= len(d.s) || d.s[d.pos]&0xe0 != m {
		d.wrongType(want)
		return 0
	}
	if info := d.s[d.pos] & 0x1f; info < 24 { // like most heads
		d.pos++
		return uint64(info)
	}
	n, ok := d.argument()
	if !ok {
		d.fail(want + " of indefinite length")
	}
	return n
}

// argument reads a head of any major type and returns its argument. ok is false if
// the head begins a value of indefinite length. argument fails if there is no valid head, or it is
// cut short.
func (d *decoder) argument() (n uint64, ok bool) {
	info := d.s[d.pos] & 0x1f
	d.pos++
	switch {
	case info < 24:
		return uint64(info), true
	case info == indefinite:
		return 0, false
	case info > 27:
		d.fail("not CBOR")
		return 0, true
	}
	size := 1 << (info - 24)
	if len(d.s)-d.pos < size {
		d.fail("unexpected end")
		return 0, true
	}
	for _, b := range []byte(d.s[d.pos : d.pos+size]) {
		n = n<<8 | uint64(b)
	}
	d.pos += size
	return n, true
}

// indefinite, in place of an argument, says that a value's length isn't known
// beforehand. With major type 7 it is the break that ends such a value.
const indefinite = 31

// uint reads an unsigned integer of at most the given bits.
func (d *decoder) uint(bits int) uint64 {
	n := d.head(majorUint, "unsigned integer")
	if bits < 64 && n>>bits != 0 {
		d.fail("integer out of range")
		return 0
	}
	return n
}

// int reads an integer that is representable in two's complement of the given
// bits.
func (d *decoder) int(bits int) int64 {
	var n uint64
	negative := d.peekMajor() == majorNegInt
	if negative {
		n = d.head(majorNegInt, "integer")
	} else {
		n = d.head(majorUint, "integer")
	}
	if n>>(bits-1) != 0 {
		d.fail("integer out of range")
		return 0
	}
	if negative {
		return ^int64(n)
	}
	return int64(n)
}

func (d *decoder) bool() bool {
	if d.err != nil {
		return false
	}
	if d.pos < len(d.s) {
		switch d.s[d.pos] {
		case simpleFalse:
			d.pos++
			return false
		case simpleTrue:
			d.pos++
			return true
		}
	}
	d.wrongType("bool")
	return false
}

// take reads the n bytes after a head.
func (d *decoder) take(n uint64) string {
	if d.err != nil {
		return ""
	}
	if n > uint64(len(d.s)-d.pos) {
		d.fail("unexpected end")
		return ""
	}
	s := d.s[d.pos : d.pos+int(n)]
	d.pos += int(n)
	return s
}

func decodeBool[T ~bool](d *decoder, p *T)     { *p = T(d.bool()) }
func decodeFloat[T ~float64](d *decoder, p *T) { *p = T(d.float()) }
func decodeString[T ~string](d *decoder, p *T) { *p = T(d.string()) }
func decodeBytes[T ~[]byte](d *decoder, p *T)  { *p = d.bytes() }

// decodeInt reads an integer, if a T can hold it.
//
//go:noinline
func decodeInt[T integer](d *decoder, p *T) {
	n := d.int(64)
	v := T(n)
	if int64(v) != n || (v < 0) != (n < 0) {
		d.fail("integer out of range")
		return
	}
	*p = v
}

// decodeUint reads an unsigned integer, if a T can hold it.
//
//go:noinline
func decodeUint[T integer](d *decoder, p *T) {
	n := d.uint(64)
	v := T(n)
	if uint64(v) != n || v < 0 {
		d.fail("integer out of range")
		return
	}
	*p = v
}

func (d *decoder) string() string {
	if d.peekMajor() == majorBytes {
		return d.byteString()
	}
	s := d.take(d.head(majorText, "text string"))
	if !utf8.ValidString(s) {
		d.fail("text string is not UTF-8")
		return ""
	}
	return s
}

// byteString reads a byte string.
func (d *decoder) byteString() string {
	return d.take(d.head(majorBytes, "byte string"))
}

// bytes reads a byte string, or a null as nil.
func (d *decoder) bytes() []byte {
	if d.null() {
		return nil
	}
	s := d.byteString()
	if s == "" {
		return []byte{}
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// array reads the head of an array and returns its length.
func (d *decoder) array() int {
	return d.count(d.head(majorArray, "array"), 1)
}

// arrayOrNull is like array, but ok is false if it read a null or failed.
func (d *decoder) arrayOrNull() (n int, ok bool) {
	if d.null() {
		return 0, false
	}
	n = d.array()
	return n, d.err == nil
}

// mapOrNull is arrayOrNull for the number of a map's entries.
func (d *decoder) mapOrNull() (n int, ok bool) {
	if d.null() {
		return 0, false
	}
	n = d.count(d.head(majorMap, "map"), 2)
	return n, d.err == nil
}

// count returns n, the number of things that follow, each of at least size bytes.
// It fails if there isn't enough input for them.
func (d *decoder) count(n uint64, size int) int {
	if n > uint64((len(d.s)-d.pos)/size) {
		d.fail("unexpected end")
		return 0
	}
	return int(n)
}

// A structMap is a map whose fields are being read.
type structMap struct {
	names string // of the type and, in the order of their numbers, its fields
	left  int
	last  uint64 // number of the field read last
}

// open reads the head of a map with fields.
func (d *decoder) open(names string) structMap {
	m := structMap{names: names}
	n := d.head(majorMap, "map")
	m.left = d.count(n, 2)
	d.takeMaps(1)
	d.nameError(&m)
	return m
}

// next returns the number of the next field in m, or zero if there is none or
// reading the previous one failed. Numbers must ascend, which rules out
// duplicates; unknownKey is last.
func (d *decoder) next(m *structMap) uint64 {
	if d.err == nil {
		if m.left == 0 {
			return 0
		}
		m.left--
		var num uint64
		if d.pos < len(d.s) && d.s[d.pos] == unknownHead {
			d.pos++
			num = unknownKey
		} else {
			num = min(d.head(majorUint, "unsigned integer as field number"), unknownKey-1)
		}
		if d.err == nil {
			if num > m.last {
				m.last = num
				return num
			}
			d.fail("field numbers out of order")
		}
	}
	d.nameError(m)
	return 0
}

// nameError adds to the error, if there is one without a name, that it is about
// the field of m that was read last.
func (d *decoder) nameError(m *structMap) {
	if d.err == nil || d.where != "" {
		return
	}
	names := strings.Fields(m.names)
	d.where = names[0]
	if m.last == 0 {
		return
	}
	switch {
	case m.last < uint64(len(names)):
		d.where += "." + names[m.last]
	case m.last == unknownKey:
		d.where += ".-1"
	default:
		d.where += "." + strconv.FormatUint(m.last, 10)
	}
}

// skip reads a well-formed value of any kind.
func (d *decoder) skip() { d.skipNested(maxNested) }

// maxNested is how deep skipped values may be nested.
const maxNested = 32

// skipNested is skip for a value of at most levels levels.
func (d *decoder) skipNested(levels int) {
	if d.err != nil {
		return
	}
	if levels == 0 {
		d.fail("nested too deeply")
		return
	}
	if d.pos >= len(d.s) {
		d.fail("unexpected end")
		return
	}
	head := d.s[d.pos]
	m := head & 0xe0
	n, definite := d.argument()
	switch m {
	case majorBytes, majorText:
		if definite {
			d.take(n)
		}
		for !definite && !d.atBreak() {
			d.take(d.head(m, "part of a string"))
		}
	case majorArray, majorMap:
		for ; definite && n > 0 && d.err == nil; n-- {
			d.skipNested(levels - 1)
			if m == majorMap {
				d.skipNested(levels - 1)
			}
		}
		for !definite && !d.atBreak() {
			d.skipNested(levels - 1)
			if m == majorMap {
				d.skipNested(levels - 1)
			}
		}
	default: // integers, tags, and the rest
		if !definite || head == simpleByte && n < 32 { // such a value has only the short form
			d.fail("not CBOR")
		}
		if m == majorTag {
			d.skipNested(levels - 1)
		}
	}
}

// atBreak reads the end of a value of indefinite length if it comes next. It returns true if
// it did, or if decoding has failed.
func (d *decoder) atBreak() bool {
	if d.err == nil && d.pos < len(d.s) && d.s[d.pos] == majorSimple|indefinite {
		d.pos++
		return true
	}
	return d.err != nil
}
