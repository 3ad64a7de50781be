package netmaptest

import "reflect"

// deepCopy returns a copy of v, unexported fields included, that shares no
// pointer, slice or map with it. Functions stay the same.
func deepCopy[T any](v T) T {
	src := addressable(reflect.ValueOf(v))
	dst := reflect.New(src.Type()).Elem()
	copyInto(dst, src)
	return dst.Interface().(T)
}

func copyInto(dst, src reflect.Value) {
	t := src.Type()
	if isLeaf(t) {
		dst.Set(src)
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(t.Elem()))
			copyInto(dst.Elem(), src.Elem())
		}
	case reflect.Struct:
		for i := range t.NumField() {
			copyInto(field(dst, i), field(src, i))
		}
	case reflect.Slice:
		if !src.IsNil() {
			dst.Set(reflect.MakeSlice(t, src.Len(), src.Len()))
			for i := range src.Len() {
				copyInto(dst.Index(i), src.Index(i))
			}
		}
	case reflect.Map:
		if !src.IsNil() {
			dst.Set(reflect.MakeMapWithSize(t, src.Len()))
			for k, v := range src.Seq2() {
				elem := reflect.New(t.Elem()).Elem()
				copyInto(elem, addressable(v))
				dst.SetMapIndex(k, elem)
			}
		}
	default:
		dst.Set(src)
	}
}
