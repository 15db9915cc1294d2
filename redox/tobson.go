package redox

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

// maxDepth is how deeply a message may be nested. The database takes 100 levels, and a copy of a message stands two levels
// below the top of its document.
const maxDepth = 96

// toBSON returns a JSON object, which must be valid JSON, as it is stored: every member, in the given order, with nulls.
// Integers become int32 or int64 by size, all other numbers double.
//
// The driver could do that by itself, but takes objects such as {"$oid": "…"} for values of other types, which Redox does
// not mean, and limits neither size nor depth.
func toBSON(object []byte, limit int) (bson.Raw, error) {
	var buffer bytes.Buffer
	e := encoder{tokens: json.NewDecoder(bytes.NewReader(object)), left: limit}
	e.tokens.UseNumber()
	if err := e.value(bson.NewDocumentWriter(&buffer), 0); err != nil {
		if errs.KindOf(err) != errs.Internal {
			return nil, err
		}
		return nil, errs.ReasonOf(errContent).Of(errs.Wrap(errs.BadRequest, errContent.Error(), err))
	}
	return buffer.Bytes(), nil
}

// encoder turns tokens of JSON into elements of BSON until nothing is left of the size limit.
type encoder struct {
	tokens *json.Decoder
	left   int
}

func (e *encoder) value(w bson.ValueWriter, depth int) error {
	if depth > maxDepth {
		return errContent
	}
	token, err := e.tokens.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return e.object(w, depth)
		}
		return e.array(w, depth)
	case string:
		if err := e.spend(len(token) + 5); err != nil {
			return err
		}
		return w.WriteString(token)
	case json.Number:
		return e.number(w, token.String())
	case bool:
		return w.WriteBoolean(token)
	default:
		return w.WriteNull()
	}
}

func (e *encoder) object(w bson.ValueWriter, depth int) error {
	document, err := w.WriteDocument()
	if err != nil {
		return err
	}
	for e.tokens.More() {
		token, err := e.tokens.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder returns nothing else here
		if strings.ContainsRune(name, 0) {
			return errContent // such a name cannot be stored
		}
		if err := e.spend(len(name) + 3); err != nil {
			return err
		}
		member, err := document.WriteDocumentElement(name)
		if err != nil {
			return err
		}
		if err := e.value(member, depth+1); err != nil {
			return err
		}
	}
	if _, err := e.tokens.Token(); err != nil {
		return err
	}
	return document.WriteDocumentEnd()
}

func (e *encoder) array(w bson.ValueWriter, depth int) error {
	array, err := w.WriteArray()
	if err != nil {
		return err
	}
	for e.tokens.More() {
		if err := e.spend(4); err != nil {
			return err
		}
		element, err := array.WriteArrayElement()
		if err != nil {
			return err
		}
		if err := e.value(element, depth+1); err != nil {
			return err
		}
	}
	if _, err := e.tokens.Token(); err != nil {
		return err
	}
	return array.WriteArrayEnd()
}

func (e *encoder) number(w bson.ValueWriter, text string) error {
	if err := e.spend(4); err != nil {
		return err
	}
	if integer, err := strconv.ParseInt(text, 10, 64); err == nil {
		if integer >= math.MinInt32 && integer <= math.MaxInt32 {
			return w.WriteInt32(int32(integer))
		}
		return w.WriteInt64(integer)
	}
	double, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return errContent // out of range, and the error would repeat the number
	}
	return w.WriteDouble(double)
}

// spend takes an element off what is left of the size limit. It counts a little less than the element takes, so that it
// refuses only what is too large for sure.
func (e *encoder) spend(size int) error {
	if e.left -= size; e.left < 0 {
		return errTooLarge
	}
	return nil
}
