package codec

import (
	"strings"
	"unsafe"

	"github.com/netmapcache/netmapcache/internal/prefault"
)

// decodeNew reads a value into a new T. The result is nil only if it fails.
func decodeNew[T any](d *decoder, value func(*decoder, *T)) *T {
	var zero T
	if !d.charge(1, unsafe.Sizeof(zero)) {
		return nil
	}
	p := new(T)
	value(d, p)
	return p
}

// decodePtr reads a value into a new T, or a null as nil.
func decodePtr[T any](d *decoder, value func(*decoder, *T)) *T {
	if d.null() {
		return nil
	}
	return decodeNew(d, value)
}

// slabBytes is how much is allocated at once, at most, for what each node has one of. A
// node that is kept when the others of its column are gone keeps no more than
// that of them for each such type.
const slabBytes = 64 << 10

// newFrom returns a new T, cut from *rest. Once that is used up it is replaced, with room
// for the nodes to come unless that takes much of what may still be allocated.
func newFrom[T any](d *decoder, rest *[]T) *T {
	if len(*rest) == 0 {
		var zero T
		size := unsafe.Sizeof(zero)
		n := max(1, min(d.toCome, int(slabBytes/size)))
		if uint64(n)*uint64(size) > d.budget/4 {
			n = 1
		}
		if !d.charge(n, size) {
			return nil
		}
		*rest = make([]T, n)
		prefault.Slice(*rest)
	}
	p := &(*rest)[0]
	*rest = (*rest)[1:]
	return p
}

// decodeSlabPtr is decodePtr for a T that is cut from *rest.
func decodeSlabPtr[T any](d *decoder, rest *[]T, value func(*decoder, *T)) *T {
	if d.null() {
		return nil
	}
	p := newFrom(d, rest)
	if p != nil {
		value(d, p)
	}
	return p
}

// makeList reads the head of an array and makes a list of its length, or nil
// for a null.
func makeList[T any](d *decoder) []T {
	var zero T
	n, ok := d.arrayOrNull()
	if !ok || !d.charge(n, unsafe.Sizeof(zero)) {
		return nil
	}
	return make([]T, n)
}

// Short lists are cut from chunks of chunkBytes, or as much as takes two elements for each
// node to come, which is what nodes have on average, but at most maxChunkBytes. A value that is
// kept when the others of its column are gone keeps no more than that of them, besides the
// column's bytes.
const (
	chunkBytes    = 1 << 10
	maxChunkBytes = 8 << 10
)

// makeFrom returns a list of n, with no room to grow, and cut from *rest if it is
// short. *rest is replaced once there isn't enough of it.
func makeFrom[T any](d *decoder, rest *[]T, n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	allocate := n
	if n > 0 && n <= chunkBytes/size/4 {
		if n <= len(*rest) {
			allocate = 0
		} else {
			allocate = min(max(chunkBytes, 2*d.toCome*size), maxChunkBytes) / size
		}
	}
	if !d.charge(allocate, unsafe.Sizeof(zero)) {
		return nil
	}
	switch {
	case allocate == n:
		return make([]T, n)
	case allocate > 0:
		*rest = make([]T, allocate)
		prefault.Slice(*rest)
	}
	list := (*rest)[:n:n]
	*rest = (*rest)[n:]
	return list
}

// makeShort is makeList for a list that is cut from *rest if it is short.
func makeShort[T any](d *decoder, rest *[]T) []T {
	n, ok := d.arrayOrNull()
	if !ok {
		return nil
	}
	return makeFrom(d, rest, n)
}

// decodeStrings reads an array of strings, or a null as nil.
func decodeStrings[T ~string](d *decoder) []T {
	list := makeShort(d, &d.strings)
	for i := range list {
		if d.err != nil {
			break
		}
		list[i] = d.string()
	}
	if list == nil {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(list))), len(list))
}

// decodeShort is decodeList for a list that is cut from *rest if it is short.
func decodeShort[T any](d *decoder, rest *[]T, value func(*decoder) T) []T {
	list := makeShort(d, rest)
	for i := range list {
		if d.err != nil {
			break
		}
		list[i] = value(d)
	}
	return list
}

// decodeShortStructs is decodeStructs for a list that is cut from *rest if it is short.
func decodeShortStructs[T any](d *decoder, rest *[]T, value func(*decoder, *T)) []T {
	list := makeShort(d, rest)
	for i := range list {
		if d.err != nil {
			break
		}
		value(d, &list[i])
	}
	return list
}

// decodeList reads an array of values, or a null as nil.
func decodeList[T any](d *decoder, value func(*decoder) T) []T {
	list := makeList[T](d)
	for i := range list {
		if d.err != nil {
			break
		}
		list[i] = value(d)
	}
	return list
}

// decodeStructs is decodeList for structs that are held by value.
func decodeStructs[T any](d *decoder, value func(*decoder, *T)) []T {
	list := makeList[T](d)
	for i := range list {
		if d.err != nil {
			break
		}
		value(d, &list[i])
	}
	return list
}

// decodePtrs is decodeList for pointers, each of which may be null.
func decodePtrs[T any](d *decoder, value func(*decoder, *T)) []*T {
	list := makeList[*T](d)
	for i := range list {
		if d.err != nil {
			break
		}
		list[i] = decodePtr(d, value)
	}
	return list
}

// decodeMap reads a map, or a null as nil.
func decodeMap[K comparable, V any](d *decoder, key func(*decoder) K, value func(*decoder) V) map[K]V {
	n, ok := d.mapOrNull()
	if !ok || !d.charge(1, mapSize[K, V](n)) {
		return nil
	}
	m := make(map[K]V, n)
	for i := range n {
		k := key(d)
		v := value(d)
		if d.err != nil {
			break
		}
		m[k] = v
		if len(m) != i+1 {
			d.fail("duplicate map key")
			break
		}
	}
	return m
}

// mapSize returns an upper bound of the memory that Go's maps take for n
// entries: groups of 8 slots with a control word each, between 7/16 and 7/8 full.
func mapSize[K comparable, V any](n int) uintptr {
	const fixed = 64
	if n == 0 {
		return fixed
	}
	var k K
	var v V
	slots := uintptr(max(8, 3*n))
	return fixed + slots*(unsafe.Sizeof(k)+unsafe.Sizeof(v)+1)
}

// shared is a value that several nodes have, and its encoding.
type shared[T any] struct {
	encoded string
	value   T
}

// maxShared is how many values are remembered, to be found by looking at each.
const maxShared = 32

// decodeShared reads a value, or takes it from seen if it is there: no
// encoded value is the beginning of another.
func decodeShared[T any](d *decoder, seen *[]shared[T], value func(*decoder) T) T {
	if d.err == nil {
		for _, s := range *seen {
			if strings.HasPrefix(d.s[d.pos:], s.encoded) {
				d.pos += len(s.encoded)
				return s.value
			}
		}
	}
	begin := d.pos
	v := value(d)
	if len(*seen) < maxShared && d.charge(2, unsafe.Sizeof(shared[T]{})) { // seen grows in steps
		*seen = append(*seen, shared[T]{d.s[begin:d.pos], v})
	}
	return v
}

func decodeStringKey[K ~string](d *decoder) K { return K(d.string()) }
func decodeIntKey[K ~int](d *decoder) K       { return K(d.int(intSize)) }
