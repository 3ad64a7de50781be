// Command gen makes the encoder and the decoder of package codec, the JavaScript reader's
// web/cache/reader/structs.js, and docs/format.cddl, from the stored types and fields.txt. Go generate runs
// it in the folder of package codec.
//
// If fields.txt lacks a field, the field gets the next number, and a line there.
// If a field no longer exists, or its value would be written in another form, that is an error: mark its
// line as retired.
package main

import (
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	old, err := os.ReadFile(tableFile)
	if err != nil {
		log.Fatal(err)
	}
	files, err := generate(old)
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// Names of the files, relative to the folder of package codec.
const (
	tableFile   = "fields.txt"
	encoderFile = "encoder_gen.go"
	decoderFile = "decoder_gen.go"
	cddlFile    = "../../../docs/format.cddl"
	javascript  = "../../../web/cache/reader/structs.js"
)

// generate returns the contents, by name, of all files that depend on the types and on
// fields, the content of fields.txt. That file is among them.
func generate(fields []byte) (map[string][]byte, error) {
	t, err := parseTable(fields)
	if err != nil {
		return nil, err
	}
	m := newModel()
	for _, root := range roots {
		if err := m.add(root); err != nil {
			return nil, err
		}
	}
	if err := m.assign(t); err != nil {
		return nil, err
	}
	files := map[string][]byte{
		tableFile: t.bytes(),
		cddlFile:  m.cddl(),
	}
	for name, source := range map[string]func() ([]byte, error){
		encoderFile: m.encoder,
		decoderFile: m.decoder,
		javascript:  m.javascript,
	} {
		if files[name], err = source(); err != nil {
			return nil, err
		}
	}
	return files, nil
}
