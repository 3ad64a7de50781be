package main

import (
	"bytes"
	"encoding/binary"
)

// Of the binary format: https://webassembly.github.io/spec/core/binary
const (
	dataSection = 11
	opI32Const  = 0x41
	opEnd       = 0x0b
)

// gap is how many zeroes end a segment.
const gap = 4096

// readSegments returns the memory that the data section initializes.
func readSegments(section reader) []byte {
	var memory []byte
	for n := section.uint(); n > 0; n-- {
		if kind, op := section.byte(), section.byte(); kind != 0 || op != opI32Const {
			panic("a segment without a constant address")
		}
		start := section.int()
		if section.byte() != opEnd {
			panic("an address that isn't one constant")
		}
		data := section.bytes(section.uint())
		if more := start + len(data) - len(memory); more > 0 {
			memory = append(memory, make([]byte, more)...)
		}
		copy(memory[start:], data)
	}
	return memory
}

// writeSegments returns a data section that initializes memory.
func writeSegments(memory []byte) []byte {
	var segments []byte
	n := 0
	zeroes := make([]byte, gap)
	for start := 0; start < len(memory); {
		if memory[start] == 0 {
			start++
			continue
		}
		data := memory[start:]
		if end := bytes.Index(data, zeroes); end >= 0 {
			data = data[:end]
		}
		segments = append(segments, 0, opI32Const)
		segments = appendInt(segments, start)
		segments = append(segments, opEnd)
		segments = appendUint(segments, len(data))
		segments = append(segments, data...)
		start += len(data)
		n++
	}
	return append(appendUint(nil, n), segments...)
}

// A reader is what is still to be read. Its methods panic at the end.
type reader []byte

func (r *reader) byte() byte { return r.bytes(1)[0] }

func (r *reader) bytes(n int) []byte {
	b := (*r)[:n]
	*r = (*r)[n:]
	return b
}

// uint reads an unsigned LEB128.
func (r *reader) uint() int {
	value, size := binary.Uvarint(*r)
	if size <= 0 {
		panic("a number that is cut short or too large")
	}
	*r = (*r)[size:]
	return int(value)
}

// int reads a signed LEB128.
func (r *reader) int() int {
	for value, shift := 0, 0; ; {
		b := r.byte()
		value |= int(b&0x7f) << shift
		shift += 7
		if b < 0x80 {
			if b&0x40 != 0 {
				value |= -1 << shift
			}
			return value
		}
	}
}

// appendUint appends an unsigned LEB128.
func appendUint(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

// appendInt appends a signed LEB128. n is not negative.
func appendInt(b []byte, n int) []byte {
	for n >= 0x40 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}
