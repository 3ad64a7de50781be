package codec

// AppendExported appends to dst the encoding of an exported snapshot. values are the value
// of the root and the values of its columns, in the root's order.
func AppendExported(dst []byte, values [][]byte) []byte {
	e := newEncoder(dst)
	encodeList(e, values, (*encoder).bytes)
	return e.done()
}

// DecodeExported decodes what [AppendExported] encoded. It doesn't check the values.
func DecodeExported(data []byte) ([][]byte, error) {
	return decodeAny(data, "exported snapshot", func(d *decoder) (values [][]byte) {
		decodeList(d, &values, decodeBytes)
		return values
	})
}
