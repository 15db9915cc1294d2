package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"
)

// What partners send is not held against the interface document, but read by the handlers.

// errMediaType answers a body of a partner that is not declared to be JSON.
var errMediaType = echo.NewHTTPError(http.StatusUnsupportedMediaType, http.StatusText(http.StatusUnsupportedMediaType))

// rawBody returns the body of the request, whatever it is, as long as it is text.
func rawBody(ctx context.Context) ([]byte, error) {
	body, err := readBody(requestFrom(ctx).http.Body)
	if err != nil {
		return nil, err
	}
	if !isTextJSON(body) {
		return nil, errNotUTF8
	}
	return body, nil
}

// bindPartner decodes the JSON body of the request. An empty body leaves the value as it is, whatever the media type.
func bindPartner(ctx context.Context, into any) error {
	body, err := rawBody(ctx)
	if err != nil || len(body) == 0 {
		return err
	}
	if !isJSON(requestFrom(ctx).header.Get(echo.HeaderContentType)) {
		return errMediaType
	}
	if err := json.Unmarshal(body, into); err != nil {
		return decodeError(err)
	}
	return nil
}
