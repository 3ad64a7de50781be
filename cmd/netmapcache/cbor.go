package main

import "encoding/binary"

// Major types of CBOR (RFC 8949, section 3.1).
const (
	majorBytes = 2
	majorArray = 4
	majorMap   = 5
)

// cborHead splits data into the head of its first item and the rest. ok is false for a head of indefinite length,
// which stored values never have.
func cborHead(data []byte) (major byte, arg uint64, rest []byte, ok bool) {
	if len(data) == 0 {
		return 0, 0, nil, false
	}
	major, info, rest := data[0]>>5, data[0]&31, data[1:]
	if info < 24 {
		return major, uint64(info), rest, true
	}
	size := 1 << (info - 24) // of the argument
	if info > 27 || len(rest) < size {
		return 0, 0, nil, false
	}
	var b [8]byte
	copy(b[8-size:], rest)
	return major, binary.BigEndian.Uint64(b[:]), rest[size:], true
}
