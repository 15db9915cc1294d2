package redox

import (
	"errors"
	"net/mail"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// ageOfOwnEmail is the age in years from which on the address of the patient is used, and not that of the guarantor.
const ageOfOwnEmail = 13

var (
	errNoDateOfBirth = errors.New("the order has no date of birth in the form YYYY-MM-DD")
	errEmailNoString = errors.New("the address in the order is not a string")
	errEmailInvalid  = errors.New("the address in the order is not a mail address")
)

// email returns the address to which an account for the patient of the order belongs: that of the guarantor for a child. It
// is "" if the order has none. No error repeats what the order holds.
func (o order) email(now time.Time) (string, error) {
	text, err := o.birthDate()
	if err != nil {
		return "", err
	}
	born, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return "", errNoDateOfBirth
	}
	path := []string{"Patient", "Demographics", "EmailAddresses"}
	if !born.AddDate(ageOfOwnEmail, 0, 0).Before(now) {
		path = []string{"Visit", "Guarantor", "EmailAddresses"}
	}
	addresses, err := o.list(path...)
	if err != nil {
		return "", err
	}
	first := slices.IndexFunc(addresses, says)
	if first < 0 {
		return "", nil
	}
	return plainAddress(addresses[first])
}

func plainAddress(value bson.RawValue) (string, error) {
	text, ok := value.StringValueOK()
	if !ok {
		return "", errEmailNoString
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil {
		return "", errEmailInvalid
	}
	return parsed.Address, nil
}
