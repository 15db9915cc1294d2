package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/internal/errs"
)

// statuses is the only translation of kinds of errors into HTTP.
var statuses = map[errs.Kind]int{
	errs.BadRequest:      http.StatusBadRequest,
	errs.Unauthorized:    http.StatusUnauthorized,
	errs.PaymentRequired: http.StatusPaymentRequired,
	errs.Forbidden:       http.StatusForbidden,
	errs.NotFound:        http.StatusNotFound,
	errs.Duplicate:       http.StatusConflict,
	errs.Conflict:        http.StatusConflict,
	errs.Constraint:      http.StatusUnprocessableEntity,
	errs.NoChange:        http.StatusNoContent,
	errs.Precondition:    http.StatusPreconditionFailed,
	errs.TooLarge:        http.StatusRequestEntityTooLarge,
	errs.Unsupported:     http.StatusNotImplemented,
	errs.Unavailable:     http.StatusServiceUnavailable,
	errs.Internal:        http.StatusInternalServerError,
}

// errNoChange answers a request that was fine but found nothing to do. COMPAT: unlike other answers without a body, it names
// a content type.
var errNoChange = errs.New(errs.NoChange, "no change")

// errorBody is the body of every answer that reports an error.
type errorBody struct {
	Message   string      `json:"message"`
	Code      int         `json:"code"`
	Reason    errs.Reason `json:"reason"`
	RequestID string      `json:"requestId,omitempty"`
	// Current is what is stored, if it is not what the caller wanted to change.
	Current json.RawMessage `json:"current,omitempty"`
}

// writeError is the one place where an error becomes an answer; all doors lead here: routing, the pipeline, the generated
// code and the handlers. The cause is kept for the access log.
func writeError(err error, c echo.Context) {
	body := describe(err)
	status := body.Code
	setCause(c, err)
	if c.Response().Committed {
		return
	}
	if c.Request().Method == http.MethodHead {
		_ = c.NoContent(status) // here and below: if the connection is gone, there is nobody to tell
		return
	}
	if writeReportProblem(c, status) {
		return
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	if status == http.StatusNoContent {
		_ = c.NoContent(status)
		return
	}
	body.RequestID = header.Get(echo.HeaderXRequestID)
	c.Response().WriteHeader(status)
	_ = json.NewEncoder(c.Response()).Encode(body)
}

func describe(err error) errorBody {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = errTooLarge
	}
	var web *echo.HTTPError
	if errors.As(err, &web) {
		return errorBody{Code: web.Code, Message: webMessage(web), Reason: webReason(web.Code)}
	}
	var stale staleError
	errors.As(err, &stale)
	return errorBody{Code: statuses[errs.KindOf(err)], Message: errs.Public(err), Reason: errs.ReasonOf(err), Current: stale.current}
}

// webReason returns the reason of an error of the router or of the generated code.
func webReason(status int) errs.Reason {
	switch status {
	case http.StatusBadRequest:
		return reasonParameter // the generated code refuses nothing else
	case http.StatusMethodNotAllowed:
		return errs.ReasonOf(errMethod)
	case http.StatusNotFound:
		return errs.NotFound.Reason()
	case http.StatusUnsupportedMediaType:
		return reasonMediaType
	default:
		return errs.Internal.Reason()
	}
}

// webMessage returns the text of an error of the router or of the generated code, which reports bad parameters.
func webMessage(err *echo.HTTPError) string {
	if err.Code >= http.StatusInternalServerError {
		return http.StatusText(http.StatusInternalServerError)
	}
	text, ok := err.Message.(string)
	if !ok {
		return http.StatusText(err.Code)
	}
	return strings.ToValidUTF8(text, "?")
}

// errNoBody answers a request without a body, which the interface document allows, where one is needed.
var errNoBody = errs.Because("body_required", errs.New(errs.BadRequest, "request body has an error: value is required but missing"))
