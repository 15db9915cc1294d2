package summary

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func appendTime(to []byte, kind bson.Type, value []byte) ([]byte, bool, bool) {
	if kind != bson.TypeDateTime {
		return to, false, false
	}
	at := time.UnixMilli(readInt64(value)).UTC()
	if y := at.Year(); y < 0 || y > 9999 {
		return to, false, false
	}
	to = append(to, '"')
	to = at.AppendFormat(to, time.RFC3339Nano)
	return append(to, '"'), false, true
}

func appendBool(to []byte, kind bson.Type, value []byte) ([]byte, bool, bool) {
	return strconv.AppendBool(to, value[0] != 0), false, kind == bson.TypeBoolean
}

func appendInt(to []byte, kind bson.Type, value []byte) ([]byte, bool, bool) {
	switch kind {
	case bson.TypeInt32:
		return strconv.AppendInt(to, int64(readInt32(value)), 10), false, true
	case bson.TypeInt64:
		return strconv.AppendInt(to, readInt64(value), 10), false, true
	default:
		return to, false, false
	}
}

func appendFloat(to []byte, kind bson.Type, value []byte) ([]byte, bool, bool) {
	switch kind {
	case bson.TypeDouble:
		number := math.Float64frombits(readUint64(value))
		return appendNumber(to, number), false, !math.IsNaN(number) && !math.IsInf(number, 0)
	case bson.TypeInt32:
		return appendNumber(to, float64(readInt32(value))), false, true
	case bson.TypeInt64:
		return appendNumber(to, float64(readInt64(value))), false, true
	default:
		return to, false, false
	}
}

// appendNumber writes a number as encoding/json does, which is as ECMAScript does.
func appendNumber(to []byte, number float64) []byte {
	size := math.Abs(number)
	if size == 0 || (size >= 1e-6 && size < 1e21) {
		return strconv.AppendFloat(to, number, 'f', -1, 64)
	}
	to = strconv.AppendFloat(to, number, 'e', -1, 64)
	if n := len(to); n >= 4 && to[n-4] == 'e' && to[n-3] == '-' && to[n-2] == '0' { // e-09 becomes e-9
		to[n-2] = to[n-1]
		to = to[:n-1]
	}
	return to
}

func appendText(to []byte, kind bson.Type, value []byte) ([]byte, bool, bool) {
	if kind != bson.TypeString {
		return to, false, false
	}
	return appendQuoted(to, value[lengthSize:len(value)-1]), false, true
}

func appendQuoted(to, text []byte) []byte {
	for _, c := range text {
		if c < ' ' || c > '~' || strings.IndexByte(`"\<>&`, c) >= 0 {
			encoded, _ := json.Marshal(string(text)) // a text always has a JSON form
			return append(to, encoded...)
		}
	}
	return append(append(append(to, '"'), text...), '"')
}

func appendTexts(to []byte, kind bson.Type, value []byte) ([]byte, bool, bool) {
	if kind != bson.TypeArray {
		return to, false, false
	}
	to = append(to, '[')
	start := len(to)
	for rest := value[lengthSize:]; len(rest) > 0 && rest[0] != 0; {
		kind, _, text, next, ok := cutElement(rest)
		if !ok {
			return to, false, false
		}
		if to, _, ok = appendText(to, kind, text); !ok {
			return to, false, false
		}
		to = append(to, ',')
		rest = next
	}
	if len(to) == start {
		return append(to, ']'), true, true
	}
	to[len(to)-1] = ']'
	return to, false, true
}
