package platform

import (
	"errors"
	"regexp"
)

// userIDForm is the form of the ids of people and service accounts: ten hexadecimal digits, or a UUID.
var userIDForm = regexp.MustCompile(
	`^([0-9a-f]{10}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)

// errMalformedUserID does not repeat the id, which may be anything.
var errMalformedUserID = errors.New("answer has a malformed user id")

// userID returns an id that a neighbour answered, or a failure if it does not have the form of one: it would be stored, and
// become a part of paths.
func (u *upstream) userID(operation, id string) (string, error) {
	if !userIDForm.MatchString(id) {
		return "", u.failure(operation, errMalformedUserID)
	}
	return id, nil
}
