package codec

import (
	"strings"
	"unsafe"

	"github.com/netmapcache/netmapcache/netmapcache/internal/prefault"
)

// decodeNew reads a value into a new T. The result is nil only after an error.
func decodeNew[T any](d *decoder, value func(*decoder, *T)) *T {
	if d.err != nil {
		return nil
	}
	p := new(T)
	value(d, p)
	return p
}

// decodePtr reads a value into a new T, or a null as nil.
func decodePtr[T any](d *decoder, p **T, value func(*decoder, *T)) {
	if !d.null() {
		*p = decodeNew(d, value)
	}
}

// decodePtrOf returns decodePtr for values that value reads.
func decodePtrOf[T any](value func(*decoder, *T)) func(*decoder, **T) {
	return func(d *decoder, p **T) { decodePtr(d, p, value) }
}

// slabBytes is the size of the largest slab, from which values are cut that each node has one of. If a
// node is kept when the others of its column are gone, it keeps at most one slab
// of each such type.
const slabBytes = 64 << 10

// newFrom returns a new T, cut from *rest. If that is used up, newFrom replaces it by a slab with room
// for the nodes to come.
func newFrom[T any](d *decoder, rest *[]T) *T {
	if len(*rest) == 0 {
		var zero T
		size := unsafe.Sizeof(zero)
		n := max(1, min(d.toCome, int(slabBytes/size)))
		*rest = make([]T, n)
		prefault.Slice(*rest)
	}
	p := &(*rest)[0]
	*rest = (*rest)[1:]
	return p
}

// decodeSlabPtr reads a value into a T that is cut from *rest, or a null as nil.
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

// largeElement is the size of the largest elements that are no maps. Larger elements are maps, and a list of them isn't
// made if there may not be as many maps.
const largeElement = 32

// makeList reads the head of an array and makes a list of its length, or nil
// for a null.
func makeList[T any](d *decoder) []T {
	var zero T
	n, ok := d.arrayOrNull()
	if unsafe.Sizeof(zero) > largeElement && n > d.maps {
		d.takeMaps(n)
	}
	if !ok || d.err != nil {
		return nil
	}
	return make([]T, n)
}

// Short lists are cut from chunks. A chunk has chunkBytes, or room for two elements, the average, for each
// node to come, but at most maxChunkBytes. If a value is
// kept when the others of its column are gone, it keeps no more than a chunk of them, besides the
// column's bytes.
const (
	chunkBytes    = 1 << 10
	maxChunkBytes = 8 << 10
)

// makeFrom returns a list of n elements, with no room to grow. A short list is cut from *rest,
// which makeFrom replaces if it is too small.
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
	if !ok || d.err != nil {
		return nil
	}
	return makeFrom(d, rest, n)
}

// decodeStrings reads an array of strings, or a null as nil.
func decodeStrings[L ~[]T, T ~string](d *decoder, p *L) {
	list := makeShort(d, &d.strings)
	for i := range list {
		if d.err != nil {
			break
		}
		list[i] = d.string()
	}
	if list != nil {
		*p = unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(list))), len(list))
	}
}

// decodeShort is decodeList for a list that is cut from *rest if it is short.
func decodeShort[L ~[]T, T any](d *decoder, rest *[]T, p *L, value func(*decoder, *T)) {
	list := makeShort(d, rest)
	for i := range list {
		if d.err != nil {
			break
		}
		value(d, &list[i])
	}
	*p = list
}

// decodeList reads an array of values, or a null as nil.
func decodeList[L ~[]T, T any](d *decoder, p *L, value func(*decoder, *T)) {
	list := makeList[T](d)
	for i := range list {
		if d.err != nil {
			break
		}
		value(d, &list[i])
	}
	*p = list
}

// decodeListOf returns decodeList for elements that value reads.
func decodeListOf[T any](value func(*decoder, *T)) func(*decoder, *[]T) {
	return func(d *decoder, p *[]T) { decodeList(d, p, value) }
}

// decodeMap reads a map, or a null as nil.
func decodeMap[M ~map[K]V, K comparable, V any](d *decoder, p *M, key func(*decoder) K, value func(*decoder, *V)) {
	n, ok := d.mapOrNull()
	if !ok || !d.takeMaps(1) {
		return
	}
	m := make(M, min(n, maxRoom))
	*p = m
	var zero, v V
	for i := range n {
		k := key(d)
		v = zero
		value(d, &v)
		if d.err != nil {
			return
		}
		m[k] = v
		if len(m) != i+1 {
			d.fail("duplicate map key")
			return
		}
	}
}

// maxRoom is the largest number of entries that a map gets room for before they are read.
const maxRoom = 1 << 10

// A shared is a value that several nodes have, with its encoding.
type shared[T any] struct {
	encoded string
	maps    int // in it
	value   T
}

// maxShared is how many values are remembered. The search compares each of them.
const maxShared = 32

// decodeShared reads a value, or takes it from seen if its encoding is there. No
// encoded value is the beginning of another.
func decodeShared[T any](d *decoder, seen *[]shared[T], p *T, value func(*decoder, *T)) {
	if d.err == nil {
		for _, s := range *seen {
			if strings.HasPrefix(d.s[d.pos:], s.encoded) && d.takeMaps(s.maps) {
				d.pos += len(s.encoded)
				*p = s.value
				return
			}
		}
	}
	begin, maps := d.pos, d.maps
	value(d, p)
	if len(*seen) < maxShared && d.err == nil {
		*seen = append(*seen, shared[T]{d.s[begin:d.pos], maps - d.maps, *p})
	}
}

func decodeStringKey[K ~string](d *decoder) K { return K(d.string()) }

func decodeIntKey[K integer](d *decoder) (k K) {
	decodeInt(d, &k)
	return k
}
