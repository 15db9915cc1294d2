package api

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/internal/errs"
)

// The reasons of requests that do not fit the interface document.
var (
	reasonParameter = errs.NewReason("parameter_invalid")
	reasonBody      = errs.NewReason("body_invalid")
	reasonMediaType = errs.NewReason("media_type_unsupported")
)

// validate holds path parameters, query parameters and body, in this order, against the interface document.
func validate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		operation, ok := c.Get(operationKey).(*operation)
		if !ok || operation.access.IsOpen() {
			return next(c) // COMPAT: what partners send is checked by the handlers alone
		}
		input := &openapi3filter.RequestValidationInput{
			Request:     c.Request(),
			PathParams:  pathParameters(c),
			QueryParams: c.QueryParams(),
			Route:       operation.route,
			Options:     &openapi3filter.Options{ExcludeReadOnlyValidations: true},
		}
		for _, parameters := range [][]*openapi3.Parameter{operation.path, operation.query} {
			for _, parameter := range parameters {
				if values := input.QueryParams[parameter.Name]; parameter.In == openapi3.ParameterInQuery && len(values) > 0 && values[0] == "" && !parameter.AllowEmptyValue {
					return parameterError(parameter, errEmptyValue)
				}
				if other, ok := parameter.Extensions[optionalBeside].(string); ok && !input.QueryParams.Has(parameter.Name) && !input.QueryParams.Has(other) {
					return parameterError(parameter, errMissing)
				}
				if err := openapi3filter.ValidateParameter(c.Request().Context(), input, parameter); err != nil {
					return parameterError(parameter, err)
				}
			}
		}
		if operation.body != nil {
			if err := checkBody(c, operation.body); err != nil {
				return err
			}
		}
		return next(c)
	}
}

// errEmptyValue is how the validator names a parameter without value. It has come to accept such strings, which callers send
// by mistake.
var errEmptyValue = &openapi3filter.RequestError{Err: openapi3filter.ErrInvalidEmptyValue}

// errMissing is how the validator names a parameter that has to be there.
var errMissing = &openapi3filter.RequestError{Err: openapi3filter.ErrInvalidRequired}

// hints say what a parameter looks like, where the document has only a regular expression, which helps nobody.
var hints = map[string]string{
	"sort": "a sort order is a sign and a field, such as +fullName or -lastUploadDate; a plus sign is sent as %2B",
}

func parameterError(parameter *openapi3.Parameter, err error) error {
	var schema *openapi3.SchemaError
	if hint := hints[parameter.Name]; hint != "" && errors.As(err, &schema) && schema.SchemaField == "pattern" {
		return reasonParameter.Of(errs.New(errs.BadRequest, fmt.Sprintf("parameter %q in %s has an error: %s", parameter.Name, parameter.In, hint)))
	}
	return reasonParameter.Of(errs.New(errs.BadRequest, fmt.Sprintf("parameter %q in %s has an error: %s", parameter.Name, parameter.In, reason(err))))
}

func bodyError(body *openapi3.SchemaRef, err error) error {
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) {
		return reasonBody.Of(errs.New(errs.BadRequest, fmt.Sprintf("request body has an error: doesn't match schema %s: %s", body.Ref, schemaReason(schema))))
	}
	return reasonBody.Of(errs.New(errs.BadRequest, "request body has an error: "+reason(err)))
}

// reason says what is wrong without repeating what the caller sent, which may be data of a patient.
func reason(err error) string {
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) {
		return schemaReason(schema)
	}
	var parse *openapi3filter.ParseError
	if errors.As(err, &parse) {
		return parseReason(parse)
	}
	var request *openapi3filter.RequestError
	if errors.As(err, &request) {
		switch {
		case errors.Is(request.Err, openapi3filter.ErrInvalidRequired):
			return "value is required but missing"
		case errors.Is(request.Err, openapi3filter.ErrInvalidEmptyValue):
			return "empty value is not allowed"
		case request.Reason != "" && request.Err == nil:
			return request.Reason
		}
	}
	return "the value is not valid"
}

func schemaReason(err *openapi3.SchemaError) string {
	// What stands in brackets is the pattern behind a format, which says nothing to a caller.
	text, _, _ := strings.Cut(err.Reason, " (string doesn't match pattern")
	if err.SchemaField == "maximum" && err.Schema.Max != nil { // 1000000 rather than 1e+06
		text = "number must be at most " + strconv.FormatFloat(*err.Schema.Max, 'f', -1, 64)
	}
	pointer := err.JSONPointer()
	if len(pointer) == 0 {
		return cut(text)
	}
	// Names of members can be the caller's own, of any length.
	return fmt.Sprintf("Error at \"/%s\": %s", cut(strings.Join(pointer, "/")), cut(text))
}

func parseReason(err *openapi3filter.ParseError) string {
	switch {
	case err.Kind == openapi3filter.KindInvalidFormat && err.Reason != "":
		return err.Reason
	default:
		return "the value cannot be read"
	}
}
