//go:build unix

package netmapcache_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// A piece is a value of CBOR or JSON, as a tree whose elements may be repeated.
type piece struct {
	kind    byte   // '[', '{', or 0 for a value without elements
	leaf    []byte // the encoding of a value without elements
	members []member
}

type member struct {
	key   []byte // encoded, in a map
	value *piece
	times int // how often it is repeated, in a map under as many keys
}

// rank orders members of a map: fields first, then repeated members, then those without a number.
func (m member) rank() int {
	switch {
	case m.key[0]&0xe0 == majorNegative:
		return 2
	case m.times > 1:
		return 1
	}
	return 0
}

// A syntax is how pieces are written.
type syntax struct {
	list, object func(dst []byte, n int) (start []byte)
	end          func(dst []byte, kind byte) []byte
	sep, null    string
	empty        func(leaf []byte) string // a leaf of the same type without content
	text         func(string) []byte
	isText       func(leaf []byte) bool
	nthKey       func(dst, key []byte, i int) []byte // one of many, like key
}

const (
	majorNegative = 1 << 5
	majorText     = 3 << 5
	majorArray    = 4 << 5
	majorMap      = 5 << 5
)

func isTextCBOR(value []byte) bool { return value[0]&0xe0 == majorText }

var cborSyntax = syntax{
	list:   func(dst []byte, n int) []byte { return appendHead(dst, majorArray, uint64(n)) },
	object: func(dst []byte, n int) []byte { return appendHead(dst, majorMap, uint64(n)) },
	end:    func(dst []byte, _ byte) []byte { return dst },
	null:   "\xf6",
	empty:  func(leaf []byte) string { return string([]byte{leaf[0] & 0xe0}) },
	text:   func(s string) []byte { return append(appendHead(nil, majorText, uint64(len(s))), s...) },
	isText: isTextCBOR,
	nthKey: func(dst, key []byte, i int) []byte {
		if !isTextCBOR(key) { // a field that nobody knows, or any number
			return appendHead(dst, 0, uint64(key[0])<<24+1<<20+uint64(i))
		}
		return append(appendHead(dst, majorText, 4), fmt.Sprintf("%04x", i&0xffff)...)
	},
}

var jsonSyntax = syntax{
	list:   func(dst []byte, _ int) []byte { return append(dst, '[') },
	object: func(dst []byte, _ int) []byte { return append(dst, '{') },
	end: func(dst []byte, kind byte) []byte {
		return append(bytes.TrimSuffix(dst, []byte(",")), kind+2, ',') // ']' and '}' are two after '[' and '{'
	},
	sep:  ",",
	null: "null",
	empty: func(leaf []byte) string {
		if leaf[0] == '"' {
			return `""`
		}
		return "0"
	},
	text:   func(s string) []byte { quoted, _ := json.Marshal(s); return quoted },
	isText: func(leaf []byte) bool { return leaf[0] == '"' },
	nthKey: func(dst, _ []byte, i int) []byte { return fmt.Appendf(dst, "%q:", fmt.Sprint(i)) },
}

func appendHead(dst []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n < 1<<8:
		return append(dst, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}

// count returns how many elements p has.
func (p *piece) count() (n int) {
	for _, m := range p.members {
		n += m.times
	}
	return n
}

// size returns about how many bytes p takes.
func (p *piece) size() int {
	n := len(p.leaf) + 5
	for _, m := range p.members {
		n += m.times * (len(m.key) + m.value.size())
	}
	return n
}

func (s *syntax) append(dst []byte, p *piece) []byte {
	switch p.kind {
	case 0:
		return append(append(dst, p.leaf...), s.sep...)
	case '[':
		dst = s.list(dst, p.count())
	default:
		dst = s.object(dst, p.count())
	}
	members := p.members
	if p.kind == '{' { // in the order of their keys
		members = slices.Clone(members)
		slices.SortStableFunc(members, func(a, b member) int { return cmp.Compare(a.rank(), b.rank()) })
	}
	for _, m := range members {
		begin := len(dst)
		dst = s.append(dst, m.value)
		value := slices.Clone(dst[begin:])
		dst = dst[:begin]
		for i := range m.times {
			if p.kind == '{' && m.times > 1 {
				dst = s.nthKey(dst, m.key, i)
			} else {
				dst = append(dst, m.key...)
			}
			dst = append(dst, value...)
		}
	}
	return s.end(dst, p.kind)
}

// encode returns p as bytes.
func (s *syntax) encode(p *piece) []byte {
	return bytes.TrimSuffix(s.append(nil, p), []byte(s.sep))
}

// parseCBOR returns the value at the beginning of data, and what follows it.
func parseCBOR(data []byte) (*piece, []byte) {
	major, n, head := data[0]&0xe0, uint64(data[0]&0x1f), 1
	if n >= 24 {
		head += 1 << (n - 24)
		n = 0
		for _, b := range data[1:head] {
			n = n<<8 | uint64(b)
		}
	}
	end := head
	p := &piece{}
	switch major {
	case majorArray, majorMap:
		p.kind = '['
		if major == majorMap {
			p.kind = '{'
		}
		rest := data[head:]
		for range n {
			m := member{times: 1}
			if major == majorMap {
				_, after := parseCBOR(rest)
				m.key, rest = rest[:len(rest)-len(after)], after
			}
			m.value, rest = parseCBOR(rest)
			p.members = append(p.members, m)
		}
		return p, rest
	case 2 << 5, majorText:
		end += int(n)
	}
	p.leaf = data[:end]
	return p, data[end:]
}

// parseJSON returns the value that data is.
func parseJSON(data []byte) *piece {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var value func() *piece
	value = func() *piece {
		token, err := d.Token()
		if err != nil {
			panic(err)
		}
		open, ok := token.(json.Delim)
		if !ok {
			leaf, _ := json.Marshal(token)
			return &piece{leaf: leaf}
		}
		p := &piece{kind: byte(open)}
		for d.More() {
			m := member{times: 1}
			if open == '{' {
				token, _ := d.Token()
				m.key, _ = json.Marshal(token)
				m.key = append(m.key, ':')
			}
			m.value = value()
			p.members = append(p.members, m)
		}
		d.Token()
		return p
	}
	return value()
}

func (p *piece) clone() *piece {
	c := *p
	c.members = slices.Clone(p.members)
	for i, m := range c.members {
		c.members[i].value = m.value.clone()
	}
	return &c
}

// A place is the position of a member in a tree.
type place struct {
	in   *piece
	i    int
	path string // the keys above it
}

// places returns all places in p, which has the path.
func (p *piece) places(path string) (all []place) {
	for i, m := range p.members {
		at := path + "[]"
		if p.kind == '{' {
			at = fmt.Sprintf("%s/%s", path, m.key)
			if m.key[0] < 24 {
				at = fmt.Sprintf("%s/%d", path, m.key[0])
			}
		}
		all = append(all, place{p, i, at})
		all = append(all, m.value.places(at)...)
	}
	return all
}

// magic are leaves that readers turn into large values.
var magic = []string{"*", "::1-ff::fffe", "10.0.0.1-10.255.255.254", "100.64.0.0/10", "00:00:00:00:00:00", `{"a":[[],[],{},{}]}`}

// mutate changes p, a tree at path, in some places. others are pieces by their path.
func (s *syntax) mutate(rng *rand.Rand, p *piece, path string, others map[string][]*piece) {
	for range 1 + rng.IntN(3) {
		places := p.places(path)
		if len(places) == 0 {
			return
		}
		at := places[rng.IntN(len(places))]
		m := &at.in.members[at.i]
		switch rng.IntN(10) {
		case 0, 1, 2: // often
			m.times = int(math.Exp(rng.Float64() * math.Log(200_000)))
		case 3:
			m.times = max(1, m.times*(50+rng.IntN(150))/100)
		case 4:
			m.value = s.emptied(m.value, rng)
		case 5:
			at.in.members = slices.Delete(at.in.members, at.i, at.i+1)
		case 6: // alone
			at.in.members = []member{*m}
		case 7, 8: // valid pieces
			if same := others[at.path]; len(same) > 0 {
				m.value = same[rng.IntN(len(same))].clone()
			}
		case 9:
			if m.value.kind != 0 || !s.isText(m.value.leaf) {
				continue
			}
			text := magic[rng.IntN(len(magic))]
			if rng.IntN(4) == 0 {
				text = strings.Repeat("a", rng.IntN(3000))
			}
			m.value = &piece{leaf: s.text(text)}
		}
	}
}

// emptied returns null, or a value like p without content.
func (s *syntax) emptied(p *piece, rng *rand.Rand) *piece {
	switch {
	case rng.IntN(4) == 0:
		return &piece{leaf: []byte(s.null)}
	case p.kind != 0:
		return &piece{kind: p.kind}
	}
	return &piece{leaf: []byte(s.empty(p.leaf))}
}

// heaviest returns the path of the member whose repetition takes the most bytes in p.
func (p *piece) heaviest(path string) (where string, size int) {
	where, size = path, 0
	for _, at := range p.places(path) {
		m := at.in.members[at.i]
		if n := m.times * m.value.size(); m.times > 1 && n > size {
			where, size = at.path, n
		}
	}
	return where, size
}
