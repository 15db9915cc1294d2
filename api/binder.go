package api

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"

	"github.com/labstack/echo/v4"
	"github.com/oapi-codegen/runtime"

	"github.com/tidepool-org/clinic/internal/errs"
)

// binder hands the body that was checked to the generated code. Unlike Echo's own, it reads nothing from path or query.
type binder struct{}

// Bind returns io.EOF for an absent body, which the generated code turns into a nil body.
func (binder) Bind(into any, c echo.Context) error {
	body, ok := c.Get(bodyKey).(checkedBody)
	if !ok {
		return io.EOF
	}
	if err := runtime.BindJSONValue(body.value, into); err != nil {
		return decodeError(err)
	}
	return nil
}

var errUnreadable = reasonBody.Of(errs.New(errs.BadRequest,
	"request body has an error: a value cannot be read, such as a day that does not exist or a time without zone"))

func readError(err error) error {
	if isTooLarge(err) {
		return errTooLarge
	}
	return reasonBody.Of(errs.Wrap(errs.BadRequest, "request body has an error: it could not be read", err))
}

// decodeError names the member that is wrong, but not its value.
func decodeError(err error) error {
	var member *json.UnmarshalTypeError
	if errors.As(err, &member) {
		return reasonBody.Of(errs.New(errs.BadRequest, "request body has an error: Error at \""+member.Field+"\": value is not a "+jsonKind(member.Type)))
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return errNotJSON
	}
	return errUnreadable
}

// jsonKind returns what JSON calls a value of the type.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonKind(t.Elem())
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	default:
		return "number"
	}
}
