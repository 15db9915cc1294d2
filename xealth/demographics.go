package xealth

import (
	"strings"
	"time"

	"github.com/tidepool-org/clinic/internal/nonblank"
)

// Demographics are the personal data of a patient in a health record.
type Demographics struct {
	Name      *HumanName `json:"name"`
	BirthDate *Date      `json:"birthDate"`
	Telecom   []Telecom  `json:"telecom"`
}

// HumanName is a name in parts.
type HumanName struct {
	Given  []string `json:"given"`
	Family []string `json:"family"`
}

// Telecom is a way to reach a patient.
type Telecom struct {
	System string  `json:"system"`
	Value  *string `json:"value"`
	Use    any     `json:"use"` // whatever it is, it keeps no message out
}

// fullName returns first and last names with single spaces between them, without blank ones, or "" if there are none.
func (d Demographics) fullName() string {
	if d.Name == nil {
		return ""
	}
	var parts []string
	for _, names := range [][]string{d.Name.Given, d.Name.Family} {
		if names = nonblank.Only(names); len(names) > 0 {
			parts = append(parts, strings.Join(names, " "))
		}
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// outOfUse marks a way to reach a patient that no longer works, or is no longer theirs.
const outOfUse = "old"

// email returns the first address that is in use and not blank, or "" if there is none.
func (d Demographics) email() string {
	for _, telecom := range d.Telecom {
		if telecom.System == "email" && telecom.Use != outOfUse && telecom.Value != nil && nonblank.Is(*telecom.Value) {
			return *telecom.Value
		}
	}
	return ""
}

// majority is the age from which patients may own an account themselves.
const majority = 13

// needsGuardian reports whether a patient is too young for an account of their own. Somebody born on 29 February comes of
// age on 1 March.
func needsGuardian(born Date, now time.Time) bool {
	return born.midnight().AddDate(majority, 0, 0).After(now)
}
