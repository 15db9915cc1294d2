package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// holders lead from the operation that shows something to what holds the stored document behind it. What changes or removes it
// has the same path.
var holders = map[string]func(ctx context.Context, s Services, parameters map[string]string) (context.Context, error){
	"GetClinic":                  holdClinic,
	"GetMRNSettings":             holdClinic,
	"GetEHRSettings":             holdClinic,
	"GetPatientCountSettings":    holdClinic,
	"ListMembershipRestrictions": holdClinic,
	"GetClinician": func(ctx context.Context, s Services, parameters map[string]string) (context.Context, error) {
		return holdOfClinic(ctx, parameters, parameters["clinicianId"], s.Clinicians.Hold)
	},
	"GetPatient": func(ctx context.Context, s Services, parameters map[string]string) (context.Context, error) {
		return holdOfClinic(ctx, parameters, parameters["patientId"], s.Patients.Hold)
	},
}

func holdClinic(ctx context.Context, s Services, parameters map[string]string) (context.Context, error) {
	return holdOfClinic(ctx, parameters, "", func(ctx context.Context, id bson.ObjectID, _ string) (context.Context, error) {
		return s.Clinics.Hold(ctx, id)
	})
}

func holdOfClinic(
	ctx context.Context, parameters map[string]string, userID string,
	hold func(ctx context.Context, clinicID bson.ObjectID, userID string) (context.Context, error),
) (context.Context, error) {
	clinicID, err := bson.ObjectIDFromHex(parameters["clinicId"])
	if err != nil {
		return nil, clinics.ErrNotFound
	}
	return hold(ctx, clinicID, userID)
}

// requireReads returns an error if an operation with If-Match has no read on its path whose answer has a tag and whose document can
// be held, or if a caller who may update would be shown what it may not read.
func requireReads(document *Document) error {
	for at, o := range document.operations {
		if !o.headers[headerIfMatch] {
			continue
		}
		read := document.operations[route{http.MethodGet, at.path}]
		if read == nil || !read.headers[headerIfNoneMatch] || holders[read.id] == nil {
			return fmt.Errorf("%s: nothing says what If-Match is compared with", o.id)
		}
		if at.method != http.MethodDelete && !read.access.Includes(o.access) {
			return fmt.Errorf("%s: callers may update what they may not read", o.id)
		}
	}
	return nil
}

// holdAttempts bounds how often a change is tried again because something changed that callers do not see.
const holdAttempts = 10

var errPrecondition = errs.Because("precondition_failed", errs.Preconditionf("this is not what is stored any more"))

// staleError is errPrecondition with what is stored now.
type staleError struct {
	error
	current json.RawMessage // nil if it is not shown
}

func (e staleError) Unwrap() error { return e.error }

// preconditions gives answers an entity tag, sends none to callers who have it, and lets a change through only if it is about
// what is stored, where the document describes the headers for that. Other requests it leaves alone.
func preconditions(document *Document, s Services) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			operation, ok := c.Get(operationKey).(*operation)
			switch {
			case ok && operation.headers[headerIfNoneMatch]:
				return answerUnlessKnown(c, next)
			case ok && operation.headers[headerIfMatch] && len(c.Request().Header.Values(headerIfMatch)) > 0:
				shown := document.operations[route{http.MethodGet, c.Path()}]
				return changeIfMatched(c, next, shown, s)
			default:
				return next(c)
			}
		}
	}
}

// answerUnlessKnown gives the answer of a read a tag, and holds it back if the caller has it.
func answerUnlessKnown(c echo.Context, next echo.HandlerFunc) error {
	known, err := tagsIn(c.Request().Header, headerIfNoneMatch)
	if err != nil {
		return err
	}
	response := c.Response()
	w, err := holdAnswer(c, next)
	if err != nil || w.status == 0 {
		return err
	}
	tag := tagOf(w.body.Bytes())
	response.Header().Set(headerETag, tag)
	if w.status == http.StatusOK && known != nil && known.matches(tag, true) {
		if w.body.Len() >= compressFrom { // as with the whole answer
			response.Header().Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
			if acceptsGzip(c.Request()) {
				response.Header().Set(headerETag, compressedTag(tag))
			}
		}
		response.Header().Del(echo.HeaderContentType)
		response.Status, response.Size = http.StatusNotModified, 0
		w.ResponseWriter.WriteHeader(http.StatusNotModified)
		return nil
	}
	return w.send()
}

// changeIfMatched goes on only if what is shown now has one of the tags, and only while the document behind it stays as it is. If
// that changes in a way that the tag does not, it looks again.
func changeIfMatched(c echo.Context, next echo.HandlerFunc, shown *operation, s Services) error {
	wanted, err := tagsIn(c.Request().Header, headerIfMatch)
	if err != nil {
		return err
	}
	request := c.Request()
	err = store.ErrNotAsRead
	for attempt := 0; attempt < holdAttempts && errors.Is(err, store.ErrNotAsRead); attempt++ {
		var held context.Context
		if held, err = holders[shown.id](request.Context(), s, pathParameters(c)); err != nil {
			return err
		}
		if err := requireMatch(c, request, wanted); err != nil {
			return err
		}
		c.SetRequest(request.WithContext(held))
		err = next(c)
	}
	return err
}

// requireMatch returns a staleError unless what is stored now has one of the tags.
func requireMatch(c echo.Context, request *http.Request, wanted *tagList) error {
	body, err := current(c, request)
	if errs.Is(err, errs.NotFound) { // the clinic is there, but not these settings
		return errPrecondition
	}
	if err != nil {
		return err
	}
	tag := tagOf(body)
	if wanted.matches(tag, false) {
		return nil
	}
	c.Response().Header().Set(headerETag, tag)
	stale := staleError{error: errPrecondition}
	if request.Method != http.MethodDelete { // who may delete a patient, may not always read them
		stale.current = body
	}
	return stale
}

// current returns what a read of the same path answers with now.
func current(c echo.Context, request *http.Request) ([]byte, error) {
	read := request.Clone(request.Context())
	read.Method, read.Body, read.ContentLength = http.MethodGet, nil, 0
	w := &heldAnswer{ResponseWriter: discarded{http.Header{}}}
	inner := c.Echo().NewContext(read, w)
	c.Echo().Router().Find(read.Method, echo.GetPath(read), inner)
	if err := inner.Handler()(inner); err != nil {
		return nil, err
	}
	if w.status != http.StatusOK {
		return nil, fmt.Errorf("reading what is stored answers %d", w.status)
	}
	return w.body.Bytes(), nil
}

// heldAnswer keeps an answer back until it is whole.
type heldAnswer struct {
	http.ResponseWriter
	status int // 0 until the handler says it
	body   bytes.Buffer
}

// holdAnswer lets a handler answer without sending that. The error of the handler goes another way, also after a panic.
func holdAnswer(c echo.Context, handler echo.HandlerFunc) (*heldAnswer, error) {
	response := c.Response()
	w := &heldAnswer{ResponseWriter: response.Writer}
	response.Writer = w
	defer func() { response.Writer = w.ResponseWriter }()
	return w, handler(c)
}

// WriteHeader keeps the status of the answer.
func (w *heldAnswer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *heldAnswer) Write(part []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(part)
}

// send sends what was kept.
func (w *heldAnswer) send() error {
	w.ResponseWriter.WriteHeader(w.status)
	if w.body.Len() == 0 {
		return nil
	}
	_, err := w.ResponseWriter.Write(w.body.Bytes())
	return err
}

// discarded is an answer that nobody gets.
type discarded struct{ header http.Header }

func (d discarded) Header() http.Header          { return d.header }
func (discarded) Write(part []byte) (int, error) { return len(part), nil }
func (discarded) WriteHeader(int)                {}
