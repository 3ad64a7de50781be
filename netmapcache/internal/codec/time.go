package codec

import (
	"strconv"
	"time"
)

// A time is written as the seconds since the Unix epoch, as
// [seconds, nanoseconds] if there are nanoseconds, or as
// [seconds, nanoseconds, offset] if its location is offset seconds east of UTC at
// that time. As in JSON, the location's name is lost, and an offset of zero is UTC.

func (e *encoder) time(t time.Time) {
	_, offset := t.Zone()
	switch ns := t.Nanosecond(); {
	case offset != 0:
		e.array(3)
		e.int(t.Unix())
		e.int(int64(ns))
		e.int(int64(offset))
	case ns != 0:
		e.array(2)
		e.int(t.Unix())
		e.int(int64(ns))
	default:
		e.int(t.Unix())
	}
}

func (e *encoder) timeField(num uint64, t time.Time) {
	if _, offset := t.Zone(); !t.IsZero() || offset != 0 {
		e.key(num)
		e.time(t)
	}
}

func (d *decoder) time(p *time.Time) {
	n := 1
	if d.peekMajor() == majorArray {
		n = d.array()
		if n != 2 && n != 3 {
			d.fail("time of wrong length")
			return
		}
	}
	sec := d.int(64)
	var ns uint64
	if n > 1 {
		if ns = d.uint(64); ns >= 1e9 {
			d.fail("nanoseconds out of range")
		}
	}
	var offset int64
	if n > 2 {
		offset = d.int(strconv.IntSize)
	}
	if d.err != nil {
		return
	}
	t := time.Unix(sec, int64(ns))
	if offset == 0 {
		*p = t.UTC()
		return
	}
	// Like time.Parse, and so JSON, take an offset that is the local
	// one for the local time zone.
	if _, local := t.Zone(); int64(local) != offset {
		t = t.In(time.FixedZone("", int(offset)))
	}
	*p = t
}
