package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/feed"
)

const (
	// eventStream is the media type of server-sent events.
	eventStream = "text/event-stream"
	// retryAfter is when readers that were cut off should come back, in milliseconds.
	retryAfter = 1000
	// farewell is how long a reader has to take what is on its way when its answer has to end.
	farewell = time.Second
	// followEvents is the operation whose answers take as long as they may.
	followEvents = "FollowEvents"
)

// FollowEvents tells what changes, as it happens.
func (h *Handlers) FollowEvents(ctx context.Context, request gen.FollowEventsRequestObject) (gen.FollowEventsResponseObject, error) {
	after := valueOf(request.Params.LastEventID)
	if after == "" {
		after = valueOf(request.Params.After)
	}
	follower, err := h.services.Events.Follow(ctx, after)
	if err != nil {
		return nil, err
	}
	return following{follower}, nil
}

// following is an answer that goes on as long as the follower.
type following struct{ *feed.Follower }

// VisitFollowEventsResponse writes one event after the other. Nothing is kept for a reader who is slow: it is cut off when it
// does not take an event in the time for parts of answers, and goes on by its last token.
func (f following) VisitFollowEventsResponse(w http.ResponseWriter) error {
	defer f.Close()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // here and below: writers of tests have none
	stop := f.OnEnd(func() { _ = control.SetWriteDeadline(time.Now().Add(farewell)) })
	defer stop()
	header := w.Header()
	header.Set(echo.HeaderContentType, eventStream)
	header.Set(echo.HeaderCacheControl, "no-store")
	header.Set("X-Accel-Buffering", "no")      // gateways that hold answers back would hold them for ever
	header.Set(echo.HeaderConnection, "close") // its times are not those of other answers; and who comes again may find another replica
	w.WriteHeader(http.StatusOK)
	_, err := fmt.Fprintf(w, "retry: %d\nid: %s\n\n", retryAfter, f.Token())
	for err == nil {
		if err = control.Flush(); err == nil {
			err = f.tell(w)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// tell waits for the next change and writes it, or the token alone if there is none.
func (f following) tell(w io.Writer) error {
	change, err := f.Next()
	if err != nil {
		return err
	}
	if change == nil {
		_, err = fmt.Fprintf(w, "id: %s\n\n", f.Token())
		return err
	}
	data, err := json.Marshal(changeWire(change))
	if err == nil {
		_, err = fmt.Fprintf(w, "id: %s\ndata: %s\n\n", change.Token, data)
	}
	return err
}

func changeWire(c *feed.Change) gen.ChangeV1 {
	wire := gen.ChangeV1{
		Kind: gen.ChangeV1Kind(c.Kind), Operation: gen.ChangeV1Operation(c.Operation), Id: c.ID, Time: c.Time, Token: c.Token,
		ClinicId: unlessEmpty(c.ClinicID), PatientId: unlessEmpty(c.PatientID), ClinicianId: unlessEmpty(c.ClinicianID),
	}
	if c.Fields != nil {
		wire.Fields = &c.Fields
	}
	return wire
}

// isFollowed reports whether the answer goes on until the reader leaves, so that the time it took says nothing.
func isFollowed(c echo.Context) bool {
	operation, ok := c.Get(operationKey).(*operation)
	return ok && operation.id == followEvents && c.Response().Status == http.StatusOK
}
