package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/internal/errs"
)

var (
	errNotUTF8   = reasonBody.Of(errs.New(errs.BadRequest, "request body has an error: it is not UTF-8"))
	errNotJSON   = reasonBody.Of(errs.New(errs.BadRequest, "request body has an error: failed to decode request body: it is not one JSON value"))
	errControl   = reasonBody.Of(errs.New(errs.BadRequest, "request body has an error: a text has control characters"))
	errMediaJSON = reasonMediaType.Of(errs.New(errs.BadRequest,
		"request body has an error: header Content-Type has an unexpected value, send application/json, and if a charset, utf-8"))
)

// checkedBody is a body as it was held against the interface document, with defaults filled in.
type checkedBody struct{ value any }

// checkBody reads the body, decodes it, and holds it against the document. The binder takes the decoded value, so that what
// was checked is what is bound, also where a member is written in another case or twice.
func checkBody(c echo.Context, body *openapi3.RequestBody) error {
	data, err := readBody(c.Request().Body)
	if err != nil {
		return err
	}
	if len(data) == 0 {
		if body.Required {
			return errNoBody
		}
		return nil
	}
	if !isJSON(c.Request().Header.Get(echo.HeaderContentType)) {
		return errMediaJSON
	}
	value, err := decodeOnce(data)
	if err != nil {
		return err
	}
	if hasControl("", value) {
		return errControl
	}
	schema := body.Content.Get(echo.MIMEApplicationJSON).Schema
	err = schema.Value.VisitJSON(value, openapi3.VisitAsRequest(), openapi3.DefaultsSet(func() {}), openapi3.DisableReadOnlyValidation())
	if err != nil {
		return bodyError(schema, err)
	}
	c.Set(bodyKey, checkedBody{value})
	return nil
}

func readBody(body io.Reader) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, readError(err)
	}
	return data, nil
}

// isJSON reports whether the media type is JSON in UTF-8, in letters of any case.
func isJSON(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != echo.MIMEApplicationJSON {
		return false
	}
	charset, ok := parameters["charset"]
	return !ok || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8") || strings.EqualFold(charset, "us-ascii")
}

// decodeOnce decodes the one JSON value in the data. Numbers keep all their digits.
func decodeOnce(data []byte) (any, error) {
	if !isTextJSON(data) {
		return nil, errNotUTF8
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errNotJSON
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotJSON
	}
	return value, nil
}

// isTextJSON reports whether JSON is text throughout. Decoding replaces what is not by U+FFFD without a word: bytes that are
// no UTF-8, and escapes of one half of a pair.
func isTextJSON(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		switch half := surrogate(data[i:]); {
		case half == 0:
			i++ // also past an escaped backslash
		case half == high && surrogate(data[i+escapeLength:]) == low:
			i += 2*escapeLength - 1
		default:
			return false
		}
	}
	return true
}

const (
	escapeLength = len(`\uD800`)
	high, low    = 'D', 'L'
)

// surrogate tells which half of a pair the escape at the start of the text is, 0 if it is none.
func surrogate(text []byte) rune {
	if len(text) < escapeLength || text[0] != '\\' || text[1] != 'u' || text[2]|0x20 != 'd' {
		return 0
	}
	switch third := text[3] | 0x20; {
	case third == '8' || third == '9' || third == 'a' || third == 'b':
		return high
	case third >= 'c' && third <= 'f':
		return low
	default:
		return 0
	}
}

// severalLines are the members that people fill in with more than one line. COMPAT: any other text may have tabs.
var severalLines = map[string]bool{"address": true}

// hasControl reports whether a text in the value has characters that no name, number or address has.
func hasControl(member string, value any) bool {
	switch value := value.(type) {
	case string:
		return strings.ContainsFunc(value, func(r rune) bool {
			return unicode.IsControl(r) && r != '\t' && (!severalLines[member] || r != '\n' && r != '\r')
		})
	case []any:
		for _, inner := range value {
			if hasControl(member, inner) {
				return true
			}
		}
	case map[string]any:
		for name, inner := range value {
			if hasControl("", name) || hasControl(name, inner) {
				return true
			}
		}
	}
	return false
}
