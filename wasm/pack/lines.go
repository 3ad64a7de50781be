package main

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Of runtime.pcHeader and runtime._func, which are the same in Go 1.26 and 1.27.
var headerStart = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8} // magic, pad, the least size of an instruction, the size of a pointer

const (
	headerFields = 8              // of 8 bytes each, after headerStart
	funcFiles    = 20             // in a function: offset of the table of files
	funcLines    = funcFiles + 4  // of the table of lines
	funcStack    = funcFiles - 4  // of the table of stack sizes
	funcTables   = funcFiles + 8  // how many other tables there are
	funcUnit     = funcFiles + 12 // its place in the table of compilation units
	funcLine     = funcFiles + 16 // the line that it begins at
	funcSize     = funcFiles + 24 // after which come the offsets of the other tables
)

// dropLines removes from the program's memory in which file and line each instruction is. Traces of a panic name functions only
// then, and the line "?:0". Tables that something else needs as well stay: what is removed becomes zeroes.
func dropLines(memory []byte) error {
	at := bytes.Index(memory, headerStart)
	if at < 0 {
		return errors.New("no table of functions")
	}
	base := memory[at:]
	field := func(i int) int { return int(binary.LittleEndian.Uint64(base[len(headerStart)+8*i:])) }
	const funcs, names, units, files, tables, functions = 0, 3, 4, 5, 6, 7
	if field(names) != len(headerStart)+8*headerFields || field(units) > field(files) || field(files) > field(tables) || field(tables) > field(functions) {
		return errors.New("a table of functions of another version of Go")
	}
	table, index := base[field(tables):field(functions)], base[field(functions):]
	word := func(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[i:]) }
	needed := make([]bool, len(table))
	for i := range field(funcs) {
		f := index[word(index, 8*i+4):]
		keepTable(table, needed, word(f, funcStack))
		for n := range int(word(f, funcTables)) {
			keepTable(table, needed, word(f, funcSize+4*n))
		}
		clear(f[funcFiles : funcLines+4])
		clear(f[funcUnit : funcLine+4])
	}
	for i := range table {
		if !needed[i] {
			table[i] = 0
		}
	}
	clear(base[field(units):field(tables)]) // the names of files, which only lines refer to
	return nil
}

// keepTable notes that a table of pairs, of a value and a number of instructions, is needed: it ends with a value of 0 that isn't the first.
func keepTable(table []byte, needed []bool, offset uint32) {
	if offset == 0 || needed[offset] {
		return
	}
	rest := reader(table[offset:])
	for first := true; rest.uint() != 0 || first; first = false {
		rest.uint()
	}
	for i := int(offset); i < len(table)-len(rest); i++ {
		needed[i] = true
	}
}
