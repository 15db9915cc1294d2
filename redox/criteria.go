package redox

import (
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
)

// Criterion says what a patient must have in common with an order.
type Criterion string

// The criteria.
const (
	ByMRN                  Criterion = "MRN"
	ByMRNAndBirthDate      Criterion = "MRN_DOB"
	ByBirthDateAndFullName Criterion = "DOB_FULLNAME"
)

// criteria maps each criterion to the part of an identity that it compares.
var criteria = map[Criterion]func(roster.Identity) roster.Identity{
	ByMRN: func(i roster.Identity) roster.Identity { return roster.Identity{MRN: i.MRN} },
	ByMRNAndBirthDate: func(i roster.Identity) roster.Identity {
		return roster.Identity{MRN: i.MRN, BirthDate: i.BirthDate}
	},
	ByBirthDateAndFullName: func(i roster.Identity) roster.Identity {
		return roster.Identity{BirthDate: i.BirthDate, FullName: i.FullName}
	},
}

var (
	errNoBirthDate = errs.Because("birth_date_missing", errs.BadRequestf("date of birth is missing"))
	errNoFullName  = errs.Because("full_name_missing", errs.BadRequestf("full name is missing"))
)

// identity returns whom an order is about, and false if it has no MRN of the type, which means that it is about no patient.
// An order with an MRN must also have date of birth and name, whatever is compared later.
func identity(o order, mrnIDType string) (roster.Identity, bool, error) {
	var who roster.Identity
	var err error
	who.MRN, err = o.mrn(mrnIDType)
	if who.MRN = patients.TrimMRN(who.MRN); err != nil || who.MRN == "" {
		return roster.Identity{}, false, err
	}
	if who.BirthDate, err = o.birthDate(); err != nil {
		return roster.Identity{}, false, err
	}
	if who.BirthDate == "" {
		return roster.Identity{}, false, errNoBirthDate
	}
	if who.FullName, err = o.fullName(); err != nil {
		return roster.Identity{}, false, err
	}
	if who.FullName == "" {
		return roster.Identity{}, false, errNoFullName
	}
	return who, true, nil
}

// union returns the patients of all lists, each once, in the order of first appearance.
func union(lists ...[]*patients.Patient) []*patients.Patient {
	var all []*patients.Patient
	seen := map[string]bool{}
	for _, list := range lists {
		for _, patient := range list {
			if !seen[patient.UserID] {
				seen[patient.UserID] = true
				all = append(all, patient)
			}
		}
	}
	return all
}
