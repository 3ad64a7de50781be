package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// A floatFormat is one of IEEE 754's binary formats.
type floatFormat struct{ exponentBits, fractionBits int }

var (
	half   = floatFormat{5, 10}
	single = floatFormat{8, 23}
	double = floatFormat{11, 52}
)

func (f floatFormat) maxExponent() int { return 1<<f.exponentBits - 1 }
func (f floatFormat) bias() int        { return 1<<(f.exponentBits-1) - 1 }

func (f floatFormat) split(u uint64) (sign uint64, exponent int, fraction uint64) {
	return u >> (f.exponentBits + f.fractionBits), int(u>>f.fractionBits) & f.maxExponent(), u & (1<<f.fractionBits - 1)
}

func (f floatFormat) join(sign uint64, exponent int, fraction uint64) uint64 {
	return sign<<(f.exponentBits+f.fractionBits) | uint64(exponent)<<f.fractionBits | fraction
}

// widen converts the value u from format from to format to, the next larger one.
// It works on bits, since hardware conversions change NaNs.
func widen(u uint64, from, to floatFormat) uint64 {
	sign, exponent, fraction := from.split(u)
	switch {
	case exponent == from.maxExponent():
		exponent = to.maxExponent()
	case exponent > 0:
		exponent += to.bias() - from.bias()
	case fraction > 0:
		shift := from.fractionBits + 1 - bits.Len64(fraction)
		fraction = fraction << shift & (1<<from.fractionBits - 1)
		exponent = 1 - shift + to.bias() - from.bias()
	}
	return to.join(sign, exponent, fraction<<(to.fractionBits-from.fractionBits))
}

// narrow is the inverse of widen. ok is false if to, the next
// smaller format, doesn't have the value.
func narrow(u uint64, from, to floatFormat) (v uint64, ok bool) {
	sign, exponent, fraction := from.split(u)
	if exponent == from.maxExponent() {
		exponent = to.maxExponent()
	} else if exponent > 0 {
		exponent += to.bias() - from.bias()
		if exponent >= to.maxExponent() {
			return 0, false
		}
		if exponent <= 0 {
			fraction = (1<<from.fractionBits | fraction) >> (1 - exponent)
			exponent = 0
		}
	}
	v = to.join(sign, exponent, fraction>>(from.fractionBits-to.fractionBits))
	return v, widen(v, to, from) == u
}

// A float is written in the shortest form that gives the same bits when it is
// widened, the payload of a NaN included.

func (e *encoder) float(f float64) {
	u := math.Float64bits(f)
	s, ok := narrow(u, double, single)
	if !ok {
		e.buf = binary.BigEndian.AppendUint64(append(e.buf, simpleFloat8), u)
		return
	}
	h, ok := narrow(s, single, half)
	if !ok {
		e.buf = binary.BigEndian.AppendUint32(append(e.buf, simpleFloat4), uint32(s))
		return
	}
	e.buf = binary.BigEndian.AppendUint16(append(e.buf, simpleFloat2), uint16(h))
}

func (e *encoder) floatField(num uint64, f float64) {
	if math.Float64bits(f) != 0 { // a negative zero isn't the zero value
		e.key(num)
		e.float(f)
	}
}

func (d *decoder) float() float64 {
	if d.err != nil {
		return 0
	}
	if d.pos >= len(d.s) || d.s[d.pos] < simpleFloat2 || d.s[d.pos] > simpleFloat8 {
		d.wrongType("float")
		return 0
	}
	form := d.s[d.pos]
	u, _ := d.argument()
	switch form {
	case simpleFloat2:
		u = widen(widen(u, half, single), single, double)
	case simpleFloat4:
		u = widen(u, single, double)
	}
	return math.Float64frombits(u)
}
