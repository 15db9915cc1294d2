package summary

import (
	"bytes"
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// lengthSize is how many bytes stand before the first element of a document, and before a text.
const lengthSize = 4

// valueSizes are the lengths of the types whose values all have the same.
var valueSizes = [256]int{
	bson.TypeDouble: 8, bson.TypeObjectID: 12, bson.TypeBoolean: 1, bson.TypeDateTime: 8,
	bson.TypeInt32: 4, bson.TypeTimestamp: 8, bson.TypeInt64: 8, bson.TypeDecimal128: 16,
}

// cutElement takes the first element off the elements of a document. It is not ok for types that summaries do not use, and
// for what is no document. The driver's own functions do the same, but check and allocate more than a list can afford.
func cutElement(elements []byte) (kind bson.Type, key, value, rest []byte, ok bool) {
	end := bytes.IndexByte(elements[1:], 0)
	if end < 0 {
		return 0, nil, nil, nil, false
	}
	kind, key, rest = bson.Type(elements[0]), elements[1:1+end], elements[1+end+1:]
	size := valueSizes[kind]
	switch kind {
	case bson.TypeNull:
	case bson.TypeEmbeddedDocument, bson.TypeArray, bson.TypeString:
		if len(rest) < lengthSize {
			return 0, nil, nil, nil, false
		}
		size = int(readInt32(rest))
		if kind == bson.TypeString {
			size += lengthSize
		}
		if size <= lengthSize {
			return 0, nil, nil, nil, false
		}
	default:
		if size == 0 {
			return 0, nil, nil, nil, false
		}
	}
	if len(rest) < size {
		return 0, nil, nil, nil, false
	}
	return kind, key, rest[:size], rest[size:], true
}

func readInt32(b []byte) int32 {
	return int32(b[0]) | int32(b[1])<<8 | int32(b[2])<<16 | int32(b[3])<<24
}

func readInt64(b []byte) int64 {
	return int64(readInt32(b))&(1<<32-1) | int64(readInt32(b[4:]))<<32
}

func readUint64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
