package errs

import (
	"errors"
	"fmt"
	"strings"
)

// BlandText is all that a caller learns about an error that nobody gave a kind.
const BlandText = "Internal Server Error"

// Error is an error of a kind, with a text for the caller and perhaps a cause for the log.
type Error struct {
	kind   Kind
	text   string
	reason Reason // "" stands for the one of the kind
	cause  error
}

// New returns an error of the given kind whose whole message is text. Use the helpers with a trailing f where the
// message begins with the category, as most do.
func New(kind Kind, text string) error {
	return &Error{kind: kind, text: text}
}

// Wrap returns an error of the given kind whose whole message is text. The cause, which may be nil, can be reached with
// errors.Is, errors.As and Detail, but is neither in Error() nor in Public.
func Wrap(kind Kind, text string, cause error) error {
	return &Error{kind: kind, text: text, cause: cause}
}

// Error returns the text for the caller, without the cause.
func (e *Error) Error() string { return e.text }

// Kind returns the kind the error was made with.
func (e *Error) Kind() Kind { return e.kind }

// Unwrap returns the cause, or nil if there is none.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of the outermost error in the chain that has one, Internal if none has, and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var kinded *Error
	if errors.As(err, &kinded) {
		return kinded.kind
	}
	return Internal
}

// Is reports whether err is of the given kind. It is false for nil, and for an error without a kind it is true only for
// Internal.
func Is(err error, kind Kind) bool {
	return err != nil && KindOf(err) == kind
}

// Public returns what the caller may read: the text of the error together with the context wrapped around it, or
// BlandText when no error in the chain has a kind. It is "" for nil.
//
// Where several errors were joined, only the one that has a kind is shown; nobody vetted the texts of the others.
func Public(err error) string {
	if err == nil {
		return ""
	}
	if text, ok := publicText(err); ok {
		return text
	}
	return BlandText
}

func publicText(err error) (string, bool) {
	switch e := err.(type) { //nolint:errorlint // the chain is walked link by link, each needs its own treatment
	case *Error:
		return e.text, true
	case interface{ Unwrap() []error }:
		for _, joined := range e.Unwrap() {
			if text, ok := publicText(joined); ok {
				return text, true
			}
		}
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		if inner == nil {
			return "", false
		}
		if text, ok := publicText(inner); ok {
			return strings.Replace(err.Error(), inner.Error(), text, 1), true
		}
	}
	return "", false
}

// Detail returns the text for the log: the message with every hidden cause appended. It is "" for nil.
func Detail(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	var kinded *Error
	for cause := err; errors.As(cause, &kinded) && kinded.cause != nil; {
		cause = kinded.cause
		text = fmt.Sprintf("%s (cause: %s)", text, cause.Error())
	}
	return text
}
