package platform

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
)

var (
	errAnswerTooLarge = errors.New("answer is too large")
	// errLostConnection stands for a connection that ended before the answer was complete.
	errLostConnection = errors.New("connection lost")
	errUnusableAnswer = errors.New("answer is not usable")
)

// failure names the upstream and the operation; cause must be fit for the log.
func (u *upstream) failure(operation string, cause error) error {
	return fmt.Errorf("%s service: %s: %w", u.name, operation, cause)
}

// unexpected is the failure for a status that the operation has no meaning for. The body is left out: it is somebody
// else's text and may hold personal data.
func (u *upstream) unexpected(operation string, a answer) error {
	return u.failure(operation, fmt.Errorf("unexpected status %d", a.status))
}

// decode reads the JSON body of an answer into target.
func (u *upstream) decode(operation string, a answer, target any) error {
	err := json.Unmarshal(a.body, target)
	if err == nil {
		return nil
	}
	// The library's texts quote values out of the answer, so that only the name of the member is taken over.
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && wrongType.Field != "" {
		return u.failure(operation, fmt.Errorf("member %q of the answer has a wrong type", wrongType.Field))
	}
	return u.failure(operation, errUnusableAnswer)
}

// connecting holds the steps of the network library before any of our request is sent: their errors quote none of it.
var connecting = map[string]bool{"dial": true, "proxyconnect": true, "remote error": true}

// withoutURL replaces what the HTTP library says about a failed exchange by an error that is fit for the log. The
// library's own quotes the whole URL, with the token or e-mail in it, and for a garbled answer its first line.
func withoutURL(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return reasonToEnd(ctx)
	}
	var urlError *url.Error
	if errors.As(err, &urlError) {
		err = urlError.Err
	}
	var timeout net.Error
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errAnswerTooLarge):
		return errAnswerTooLarge
	case errors.As(err, &certificate):
		return certificate
	case errors.As(err, &network) && connecting[network.Op]:
		return network
	case errors.As(err, &timeout) && timeout.Timeout():
		return os.ErrDeadlineExceeded
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errLostConnection
	}
	return errUnusableAnswer
}

// reasonToEnd tells lack of time from a caller who left, even if the one made the other end.
func reasonToEnd(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

// failureStatus is the status label for an exchange without an answer.
func failureStatus(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "timeout"
	}
	return "error"
}
