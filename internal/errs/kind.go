package errs

// Kind says what went wrong in terms that decide the answer to the caller. Its value is the category text with which
// messages of that kind begin.
type Kind string

// The kinds of errors. Duplicate and Conflict are answered with the same status, but mean different things: a unique
// value is taken, or the state of a thing does not allow the request.
const (
	BadRequest      Kind = "bad request"
	Unauthorized    Kind = "unauthorized"
	PaymentRequired Kind = "payment required"
	Forbidden       Kind = "forbidden"
	NotFound        Kind = "not found"
	Duplicate       Kind = "duplicate"
	Conflict        Kind = "conflict"
	Constraint      Kind = "constraint violation"
	// NoChange is no failure: there was nothing to do, and the caller gets an empty answer.
	NoChange Kind = "no change"
	// Precondition tells that something is not what the caller said it had to be.
	Precondition Kind = "precondition failed"
	TooLarge     Kind = "request entity too large"
	Unsupported  Kind = "not implemented"
	Unavailable  Kind = "service unavailable"
	Internal     Kind = "internal server error"
)

// Kinds returns every kind, so that a table keyed by kind can be checked for completeness.
func Kinds() []Kind {
	return []Kind{
		BadRequest, Unauthorized, PaymentRequired, Forbidden, NotFound, Duplicate, Conflict, Constraint,
		NoChange, Precondition, TooLarge, Unsupported, Unavailable, Internal,
	}
}
