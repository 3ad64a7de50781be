// Command pack makes a Go program for js/wasm smaller as browsers download it, that is compressed.
//
// Go's linker leaves runs of eight or more zeroes out of the data, which cuts it
// into some 90,000 segments, each with an address that hardly compresses. With
// runs of zeroes as they are, there are three: as brotli, the program is 8% smaller.
package main

import (
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("pack: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: pack file.wasm")
	}
	if err := packFile(os.Args[1]); err != nil {
		log.Fatalf("%s: %v", os.Args[1], err)
	}
}

// packFile replaces a file by its packed form.
func packFile(name string) error {
	module, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	packed, err := pack(module)
	if err != nil {
		return err
	}
	return os.WriteFile(name, packed, 0o644)
}

// pack returns a module in packed form.
func pack(module []byte) (packed []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // an index out of range
			err = fmt.Errorf("not a program as Go writes it: %v", r)
		}
	}()
	const header = "\x00asm\x01\x00\x00\x00"
	if string(module[:len(header)]) != header {
		return nil, fmt.Errorf("not a WebAssembly module")
	}
	packed = append(packed, header...)
	for r := reader(module[len(header):]); len(r) > 0; {
		id := r.byte()
		content := r.bytes(r.uint())
		if id == dataSection {
			content = writeSegments(readSegments(content))
		}
		packed = append(packed, id)
		packed = appendUint(packed, len(content))
		packed = append(packed, content...)
	}
	return packed, nil
}
