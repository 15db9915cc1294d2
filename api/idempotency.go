package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/idempotency"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

const (
	headerIdempotencyKey = "Idempotency-Key"
	// inUseRetry is when a caller may ask again for what another request is at work on, in seconds.
	inUseRetry = "2"
	// lookTime bounds looking for what a request made whose caller may have gone.
	lookTime = 5 * time.Second
)

// requireRepeatable returns an error if nothing can answer the repeat of an operation that takes a key.
func requireRepeatable(document *Document) error {
	for _, o := range document.operations {
		if o.headers[headerIdempotencyKey] && repeatable[o.id] == nil {
			return errors.New(o.id + ": nothing answers a repeat")
		}
	}
	return nil
}

// repeatOnce makes a request with an Idempotency-Key act once, however often it comes.
func repeatOnce(keys *idempotency.Keys, s Services) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			operation, ok := c.Get(operationKey).(*operation)
			given := c.Request().Header.Values(headerIdempotencyKey)
			if !ok || !operation.headers[headerIdempotencyKey] || len(given) == 0 {
				return next(c)
			}
			if len(given) > 1 {
				return idempotency.ErrForm
			}
			content, err := contentOf(c)
			if err != nil {
				return err
			}
			ctx, turn, err := keys.Begin(c.Request().Context(), idempotency.Request{
				Caller: callerKey(auth.CallerFrom(c.Request().Context())), Operation: operation.id, Key: given[0], Content: content,
			})
			if errors.Is(err, idempotency.ErrInUse) {
				c.Response().Header().Set(echo.HeaderRetryAfter, inUseRetry)
			}
			if err != nil {
				return err
			}
			defer turn.Leave(ctx) // unless it ended otherwise, as after a panic
			r := repetition{turn: turn, again: repeatable[operation.id], made: made{services: s, parameters: pathParameters(c), plan: turn.Plan()}}
			c.SetRequest(c.Request().WithContext(ctx))
			return r.answer(c, next)
		}
	}
}

// contentOf returns all that makes a request the same as another: path, query and body, but not how the body was written.
func contentOf(c echo.Context) ([]byte, error) {
	body, _ := c.Get(bodyKey).(checkedBody) // nil for none
	return json.Marshal([]any{c.Request().Method, c.Request().URL.EscapedPath(), c.Request().URL.Query(), body.value})
}

func callerKey(caller auth.Caller) string {
	return strconv.FormatBool(caller.Server) + " " + caller.UserID
}

// repetition is a request that may have been made before.
type repetition struct {
	turn  *idempotency.Turn
	again func(ctx context.Context, m made) (answer, error)
	made  made
}

// answer answers with what an earlier request has made, or else makes it.
func (r repetition) answer(c echo.Context, next echo.HandlerFunc) error {
	ctx := c.Request().Context()
	if r.turn.Status != 0 {
		r.made.done = true
		answer, err := r.again(ctx, r.made)
		if errs.Is(err, errs.NotFound) {
			return errMadeIsGone
		}
		if err != nil {
			return err
		}
		return answer(c.Response())
	}
	if r.turn.IsRepeat {
		if answer, err := r.again(ctx, r.made); !errs.Is(err, errs.NotFound) {
			return r.found(c, answer, err)
		}
	}
	w, err := holdAnswer(c, next)
	if err != nil {
		return r.failed(c, err)
	}
	r.turn.Keep(ctx, w.status)
	return w.send()
}

// found answers with what is there after all.
func (r repetition) found(c echo.Context, answer answer, err error) error {
	if err != nil {
		return err
	}
	w, err := holdAnswer(c, func(c echo.Context) error { return answer(c.Response()) })
	if err != nil {
		return err
	}
	r.turn.Keep(c.Request().Context(), w.status)
	return w.send()
}

// failed looks whether a request that failed has made its thing all the same, or another one with the same plan has. Otherwise a
// refusal is forgotten, so that the same key can be used when the cause is mended, and after any other error a repeat goes on.
func (r repetition) failed(c echo.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), lookTime)
	defer cancel()
	answer, err := r.again(ctx, r.made)
	switch {
	case err == nil:
		return r.found(c, answer, nil)
	case errs.Is(err, errs.NotFound) && describe(cause).Code < http.StatusInternalServerError && !errors.Is(cause, store.ErrLeaseHeld):
		r.turn.Forget(ctx)
	}
	return cause
}
