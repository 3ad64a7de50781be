package codec

import "unsafe"

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

// chunkBytes is how much is allocated at once for short lists. A value that is
// kept when the others of its column are gone keeps no more than that of them,
// besides the column's bytes.
const chunkBytes = 1 << 10

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
			allocate = chunkBytes / size
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

func decodeStringKey[K ~string](d *decoder) K { return K(d.string()) }
func decodeIntKey[K ~int](d *decoder) K       { return K(d.int(intSize)) }
