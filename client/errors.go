package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxErrorBody bounds what is read of an answer that reports an error. Proxies send pages; the service is short.
const maxErrorBody = 64 << 10

// APIError is an answer of the service that reports an error. Get it from an error by [errors.As].
type APIError struct {
	Status    int    // HTTP status, 300 or above; go by this one if there is no Reason
	Reason    string // stable name of what went wrong, for programs; "" if the service gave none
	Message   string // what went wrong, for people; may change
	RequestID string // id under which the request stands in the service's log; "" if the answer is a proxy's
}

// Error returns status, message and ids in one line.
func (e *APIError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "clinic service: %d %s", e.Status, e.Message)
	if e.Reason != "" {
		fmt.Fprintf(&text, " (%s)", e.Reason)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&text, " [request %s]", e.RequestID)
	}
	return text.String()
}

// StatusOf returns the HTTP status of an [*APIError] in err's chain, or 0. The usual question is StatusOf(err) == 404.
func StatusOf(err error) int {
	var e *APIError
	if !errors.As(err, &e) {
		return 0
	}
	return e.Status
}

// ErrorOf returns an [*APIError] if an answer reports one, and nil otherwise. It is for clients without [WithErrors]:
//
//	response, err := c.GetClinicWithResponse(ctx, clinicID)
//	if err == nil {
//		err = client.ErrorOf(response.HTTPResponse, response.Body)
//	}
func ErrorOf(response *http.Response, body []byte) error {
	if response == nil || response.StatusCode < http.StatusMultipleChoices {
		return nil
	}
	e := &APIError{Status: response.StatusCode, RequestID: response.Header.Get("X-Request-Id")}
	var sent struct {
		Message   string `json:"message"`
		Reason    string `json:"reason"`
		RequestID string `json:"requestId"`
	}
	if json.Unmarshal(body, &sent) == nil {
		e.Message, e.Reason = sent.Message, sent.Reason
		if sent.RequestID != "" {
			e.RequestID = sent.RequestID
		}
	}
	if e.Message == "" {
		e.Message = http.StatusText(e.Status) // not the body, which may be a page of a proxy, or anything
	}
	return e
}

// WithErrors makes calls return an [*APIError], and no response, for each answer that reports an error. An error of the
// connection loses its URL, whose query may hold a patient's name. Give this option last.
func WithErrors() ClientOption {
	return around(func(next HttpRequestDoer) doerFunc {
		return func(request *http.Request) (*http.Response, error) {
			response, err := next.Do(request)
			if err != nil {
				return nil, withoutURL(err, request)
			}
			if response.StatusCode < http.StatusMultipleChoices {
				return response, nil
			}
			defer func() { _ = response.Body.Close() }()
			body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody)) // a part of it is better than none
			return nil, ErrorOf(response, body)
		}
	})
}

// withoutURL returns an error that names the host only.
func withoutURL(err error, request *http.Request) error {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return err
	}
	return fmt.Errorf("clinic service: %s %s: %w", request.Method, request.URL.Host, failed.Err)
}
