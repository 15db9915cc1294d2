package platform

import (
	"errors"
	"regexp"
)

var (
	// userIDForm is the form of the ids of people: ten hexadecimal digits, or a UUID.
	userIDForm = regexp.MustCompile(
		`^([0-9a-f]{10}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)
	// subjectForm is that of whom a token belongs to: services and their accounts have names instead. It has nothing that a
	// path or a query of the database could take for syntax.
	subjectForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$`)
)

// errMalformedUserID does not repeat the id, which may be anything.
var errMalformedUserID = errors.New("answer has a malformed user id")

// checkUserID returns a failure if an id that a neighbour answered does not have the form of one: it would be stored, and
// become a part of paths.
func (u *upstream) checkUserID(operation, id string) error {
	if !userIDForm.MatchString(id) {
		return u.failure(operation, errMalformedUserID)
	}
	return nil
}
