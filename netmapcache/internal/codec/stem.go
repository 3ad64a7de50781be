package codec

import "unsafe"

// If a string begins like another one, its stem, it is written as the number of bytes that
// both have in common, followed by the rest if there is one. If that saves nothing, it is written as a string.

// minStem is the least number of bytes for which this is done.
const minStem = 4

func (e *encoder) stemField(num uint64, s, stem string) {
	if s == "" {
		return
	}
	n := 0
	for n < len(s) && n < len(stem) && s[n] == stem[n] {
		n++
	}
	e.key(num)
	switch {
	case n == len(s):
		e.uint(uint64(n))
	case n >= minStem:
		e.array(2)
		e.uint(uint64(n))
		e.string(s[n:])
	default:
		e.string(s)
	}
}

func (d *decoder) stem(stem string) string {
	switch d.peekMajor() {
	case majorUint:
		return d.stemPart(stem)
	case majorArray:
		if d.array() != 2 {
			d.fail("stem and rest of wrong length")
			return ""
		}
		part, rest := d.stemPart(stem), d.string()
		b := makeFrom(d, &d.bytesLeft, len(part)+len(rest))
		if d.err != nil {
			return ""
		}
		copy(b[copy(b, part):], rest)
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	return d.string()
}

// stemPart reads how many bytes of stem to take, and returns these bytes.
func (d *decoder) stemPart(stem string) string {
	n := d.uint(64)
	if n > uint64(len(stem)) {
		d.fail("more than there is of the stem")
		return ""
	}
	return stem[:n]
}
