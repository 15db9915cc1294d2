package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxEvent bounds the line of one event. The service tells names and ids; a longer line is none of its.
const maxEvent = 1 << 20

// errEnded says that an answer ended, as it does after a quarter of an hour, when a replica goes, and when a connection breaks.
var errEnded = errors.New("the events ended")

// Follow tells handle each change of clinics, patients, members and orders, one after the other: those after the token, or
// those from now on if it is "". When an answer ends, for whatever reason, it asks again after the last change that was handled.
//
// Keep the token of a change once its work is done, and begin with it the next time: nothing is missed. A change may come
// twice, so that its work must be such that doing it twice is doing it once.
//
// Follow ends when the context does, with its error; when handle returns an error, with that; and with an [*APIError] that
// repeating cannot mend: of status 409 if the token is too old, so that all has to be read anew, and of 501 if the database of
// the service tells no changes.
func Follow(ctx context.Context, c ClientInterface, after string, handle func(ChangeV1) error) error {
	for failures := 0; ; {
		before := after
		err := follow(ctx, c, &after, handle)
		var refused *APIError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &refused) && !passing(refused.Status):
			return err
		case !errors.Is(err, errEnded) && refused == nil:
			return err
		}
		if failures++; after != before {
			failures = 1
		}
		if !wait(ctx, pause(failures, nil)) {
			<-ctx.Done()
			return ctx.Err()
		}
	}
}

// passing reports whether the same request may succeed later.
func passing(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError && status != http.StatusNotImplemented
}

// follow handles the changes of one answer, and moves the token. It returns errEnded when the answer ended, or did not come.
func follow(ctx context.Context, c ClientInterface, after *string, handle func(ChangeV1) error) error {
	params := &FollowEventsParams{}
	if *after != "" {
		params.After = after
	}
	answer, err := c.FollowEvents(ctx, params)
	if err != nil {
		var refused *APIError
		if errors.As(err, &refused) {
			return err
		}
		return fmt.Errorf("%w: %w", errEnded, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, maxErrorBody))
		return ErrorOf(answer, body)
	}
	return eachEvent(answer.Body, func(id string, data []byte) error {
		if data != nil {
			var change ChangeV1
			if err := json.Unmarshal(data, &change); err != nil {
				return fmt.Errorf("%w: %w", errEnded, err)
			}
			if err := handle(change); err != nil {
				return err
			}
		}
		if id != "" {
			*after = id
		}
		return nil
	})
}

// eachEvent reads server-sent events. Data is nil for one that only moves the token.
func eachEvent(body io.Reader, tell func(id string, data []byte) error) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxEvent)
	var id string
	var data []byte
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "": // only now is the event whole
			if err := tell(id, data); err != nil {
				return err
			}
			id, data = "", nil
		case strings.HasPrefix(line, "id: "):
			id = strings.TrimPrefix(line, "id: ")
		case strings.HasPrefix(line, "data: "):
			data = []byte(strings.TrimPrefix(line, "data: "))
		}
	}
	return errEnded
}
