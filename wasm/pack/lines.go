package main

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The tables of functions are described by pcHeader in runtime/symtab.go and _func in
// runtime/runtime2.go of Go 1.20 and later; Go 1.26 is what this was written by.
// A change of the format comes with another magic number.
var pcHeader = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8} // magic, padding, unit of instructions, size of pointers

// Fields of pcHeader, by their index in 8-byte words.
const (
	headerFuncs     = 1 // number of functions
	headerUnits     = 5 // offset of the table of compilation units, before that of files
	headerPCTable   = 7 // offset of the tables by instruction
	headerFuncTable = 8 // offset of the table of functions
)

// Fields of _func, in bytes.
const (
	funcStack     = 16 // offset of a table by instruction, 0 for none, as the next two
	funcFile      = 20
	funcLine      = 24
	funcTables    = 28 // number of more offsets of tables at the end
	funcUnit      = 32
	funcStartLine = 36
	funcEnd       = 44
)

// dropLines zeroes in memory what the runtime needs to know file and line of an
// instruction. The runtime takes an offset of 0 for a table that doesn't exist, and
// tells "?" for the file and 0 for the line.
func dropLines(memory []byte) error {
	at := bytes.Index(memory, pcHeader)
	if at < 0 || bytes.Contains(memory[at+1:], pcHeader) {
		return errors.New("no table of functions, or a format of it that isn't known")
	}
	word := func(i int) int { return int(binary.LittleEndian.Uint64(memory[at+8*i:])) }
	units, pcTable, funcTable := memory[at+word(headerUnits):at+word(headerPCTable)],
		memory[at+word(headerPCTable):at+word(headerFuncTable)],
		memory[at+word(headerFuncTable):]

	used := make([]byte, len(pcTable))
	use := func(offset uint32) {
		if offset == 0 {
			return
		}
		table := reader(pcTable[offset:])
		for first := true; ; first = false {
			if delta := table.uint(); delta == 0 && !first {
				break
			}
			table.uint()
		}
		copy(used[offset:], pcTable[offset:len(pcTable)-len(table)])
	}
	for i := range word(headerFuncs) {
		offset := binary.LittleEndian.Uint32(funcTable[8*i+4:])
		f := funcTable[offset:]
		use(binary.LittleEndian.Uint32(f[funcStack:]))
		for j := range binary.LittleEndian.Uint32(f[funcTables:]) {
			use(binary.LittleEndian.Uint32(f[funcEnd+4*j:]))
		}
		for _, field := range []int{funcFile, funcLine, funcUnit, funcStartLine} {
			clear(f[field : field+4])
		}
	}
	copy(pcTable, used)
	clear(units)
	return nil
}
