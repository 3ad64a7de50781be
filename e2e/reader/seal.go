package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// digestLen is the length of the digests in a snapshot.
const digestLen = 16

var names = []string{"", "node", "misc", "dns", "derpmap", "filter", "ssh", "peers", "users"}

// A root is the decoded root of a snapshot: its fields by their numbers.
type root map[uint64]any

// Numbers of the fields, as docs/format.cddl has them.
const (
	fieldColumns = 9
	columnKind   = 1
	columnPart   = 2
	columnDigest = 3
	columnSize   = 4
)

func openRoot(value []byte) root {
	r := root{}
	check(cbor.Unmarshal(value[1:len(value)-1-digestLen], &r))
	return r
}

func (r root) columns() []any { return r[fieldColumns].([]any) }

func (r root) column(i int) map[any]any { return r.columns()[i].(map[any]any) }

// key returns the key that the store has a column under.
func (r root) key(i int) string {
	c := r.column(i)
	name := names[c[uint64(columnKind)].(uint64)]
	if strings.HasSuffix(name, "rs") {
		part, _ := c[uint64(columnPart)].(uint64)
		name += fmt.Sprintf("-%x", part)
	}
	return fmt.Sprintf("%s.%x", name, c[uint64(columnDigest)])
}

// body returns the root's bytes, without the seal.
func (r root) body() []byte {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	check(err)
	body, err := mode.Marshal(r)
	check(err)
	return body
}

// seal returns the value to store for the bytes of a root.
func seal(body []byte) []byte {
	value := append(append([]byte{0x82}, body...), 0x40|digestLen)
	sum := sha256.Sum256(value)
	return append(value, sum[:digestLen]...)
}

// with returns db with other bytes for a column, and a root that names those.
func (r root) with(db database, i int, data []byte) database {
	changed := root(maps.Clone(r))
	columns := append([]any(nil), r.columns()...)
	column := maps.Clone(r.column(i))
	sum := sha256.Sum256(data)
	column[uint64(columnDigest)], column[uint64(columnSize)] = sum[:digestLen], uint64(len(data))
	columns[i] = column
	changed[fieldColumns] = columns
	d := maps.Clone(db)
	delete(d, r.key(i))
	d[changed.key(i)] = bytes.Clone(data)
	d["self"] = seal(changed.body())
	return d
}
