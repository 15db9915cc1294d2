package xealth

import (
	"net/mail"
	"strings"
)

// Submission is what was entered into a form, or what a form starts with. It holds either a patient or a guardian.
type Submission struct {
	Patient  *AccountOwner `json:"patient,omitempty" bson:"patient,omitempty"`
	Guardian *AccountOwner `json:"guardian,omitempty" bson:"guardian,omitempty"`
	Tags     *TagSelection `json:"tags,omitempty" bson:"tags,omitempty"`
}

// AccountOwner is the part of a form about who will own the account. Names are asked of guardians only.
type AccountOwner struct {
	FirstName     string `json:"firstName,omitempty" bson:"firstName,omitempty"`
	LastName      string `json:"lastName,omitempty" bson:"lastName,omitempty"`
	Email         string `json:"email,omitempty" bson:"email,omitempty"`
	ConnectAbbott bool   `json:"connectAbbott,omitempty" bson:"connectAbbott,omitempty"`
	ConnectDexcom bool   `json:"connectDexcom,omitempty" bson:"connectDexcom,omitempty"`
}

// TagSelection holds the ids of the tags that were ticked. They are checked when the order arrives.
type TagSelection struct {
	IDs []string `json:"ids,omitempty" bson:"ids,omitempty"`
}

// owner returns the guardian or else the patient, nil if there is neither.
func (s Submission) owner() *AccountOwner {
	if s.Guardian != nil {
		return s.Guardian
	}
	return s.Patient
}

// onlyFor returns only what the form of the flow asks for. The owner is there even if nothing was entered.
func (s Submission) onlyFor(guardian bool) Submission {
	owner := AccountOwner{}
	if guardian {
		if s.Guardian != nil {
			owner = *s.Guardian
		}
		return Submission{Guardian: &owner, Tags: s.Tags}
	}
	if s.Patient != nil {
		owner = *s.Patient
		owner.FirstName, owner.LastName = "", ""
	}
	return Submission{Patient: &owner, Tags: s.Tags}
}

// isComplete reports whether the form itself gives no reason to refuse it.
func (s Submission) isComplete() bool {
	if g := s.Guardian; g != nil && (strings.TrimSpace(g.FirstName) == "" || strings.TrimSpace(g.LastName) == "") {
		return false
	}
	email := s.owner().Email
	return email == "" || isAddress(email)
}

// isAddress reports whether the text is an address and nothing else. One with a display name would become the name of an
// account as it is.
func isAddress(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text
}

// withoutUnreachable clears the connections that could not be asked for, because there is no address to write to.
func (s Submission) withoutUnreachable() Submission {
	if owner := s.owner(); owner.Email == "" {
		owner.ConnectAbbott, owner.ConnectDexcom = false, false
	}
	return s
}
