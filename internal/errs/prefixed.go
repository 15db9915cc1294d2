package errs

import "fmt"

// BadRequestf returns an error of kind BadRequest with the message "bad request: " and the formatted text.
func BadRequestf(format string, args ...any) error { return newf(BadRequest, format, args...) }

// Unauthorizedf returns an error of kind Unauthorized with the message "unauthorized: " and the formatted text.
func Unauthorizedf(format string, args ...any) error { return newf(Unauthorized, format, args...) }

// PaymentRequiredf returns an error of kind PaymentRequired with the message "payment required: " and the formatted text.
func PaymentRequiredf(format string, args ...any) error {
	return newf(PaymentRequired, format, args...)
}

// Forbiddenf returns an error of kind Forbidden with the message "forbidden: " and the formatted text.
func Forbiddenf(format string, args ...any) error { return newf(Forbidden, format, args...) }

// NotFoundf returns an error of kind NotFound with the message "not found: " and the formatted text.
func NotFoundf(format string, args ...any) error { return newf(NotFound, format, args...) }

// Duplicatef returns an error of kind Duplicate with the message "duplicate: " and the formatted text.
func Duplicatef(format string, args ...any) error { return newf(Duplicate, format, args...) }

// Conflictf returns an error of kind Conflict with the message "conflict: " and the formatted text.
func Conflictf(format string, args ...any) error { return newf(Conflict, format, args...) }

// Constraintf returns an error of kind Constraint with the message "constraint violation: " and the formatted text.
func Constraintf(format string, args ...any) error { return newf(Constraint, format, args...) }

// NoChangef returns an error of kind NoChange with the message "no change: " and the formatted text.
func NoChangef(format string, args ...any) error { return newf(NoChange, format, args...) }

// Preconditionf returns an error of kind Precondition with the message "precondition failed: " and the formatted text.
func Preconditionf(format string, args ...any) error { return newf(Precondition, format, args...) }

// TooLargef returns an error of kind TooLarge with the message "request entity too large: " and the formatted text.
func TooLargef(format string, args ...any) error { return newf(TooLarge, format, args...) }

// Unsupportedf returns an error of kind Unsupported with the message "not implemented: " and the formatted text.
func Unsupportedf(format string, args ...any) error { return newf(Unsupported, format, args...) }

// Unavailablef returns an error of kind Unavailable with the message "service unavailable: " and the formatted text.
func Unavailablef(format string, args ...any) error { return newf(Unavailable, format, args...) }

// Internalf returns an error of kind Internal with the message "internal server error: " and the formatted text.
func Internalf(format string, args ...any) error { return newf(Internal, format, args...) }

// newf formats with Sprintf on purpose: %w is refused by vet, so that no cause slips into a text for callers.
func newf(kind Kind, format string, args ...any) error {
	return New(kind, string(kind)+": "+fmt.Sprintf(format, args...))
}
