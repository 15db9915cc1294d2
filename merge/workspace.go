package merge

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/summary"
)

// Workspace is one of the two clinics with all that the plan is made from. The source of a merge is absorbed, its target
// stays.
type Workspace struct {
	Clinic *clinics.Clinic
	// Document is the stored clinic, and the plan documents repeat it. It may be nil where only the plan is wanted.
	Document bson.Raw
	Members  []Member  // with pending invites, newest first
	Patients []Patient // without the demo patient, by id
}

// Member is a member of a clinic, or a pending invite, with the document that it was read from.
type Member struct {
	clinicians.Clinician
	Document bson.Raw
}

// isInvite reports whether nobody accepted the invite yet.
func (m *Member) isInvite() bool { return m.UserID == nil || *m.UserID == "" }

// Patient is what a plan needs to know of a patient. Empty strings stand for what is not known.
type Patient struct {
	ID           bson.ObjectID
	UserID       string
	FullName     string
	BirthDate    string // YYYY-MM-DD
	MRN          string
	Claimed      bool // the account belongs to the patient, not to the clinic
	Tags         []bson.ObjectID
	Sites        []patients.Site
	LatestUpload time.Time // zero if nothing was uploaded yet
}

// NewPatient returns what a plan needs to know of the stored patient. Of the summary, only the dates are read.
func NewPatient(stored *patients.Patient) Patient {
	return Patient{
		ID: stored.ID, UserID: stored.UserID, FullName: valueOf(stored.FullName), BirthDate: stored.BirthDate,
		MRN: valueOf(stored.MRN), Claimed: !stored.IsCustodial(), Tags: stored.Tags, Sites: stored.Sites,
		LatestUpload: latestUpload(stored.Summary),
	}
}

func latestUpload(summary *summary.Summary) time.Time {
	var latest time.Time
	if summary == nil {
		return latest
	}
	if summary.CGMStats != nil {
		latest = later(latest, summary.CGMStats.Dates.LastUploadDate)
	}
	if summary.BGMStats != nil {
		latest = later(latest, summary.BGMStats.Dates.LastUploadDate)
	}
	return latest
}

func later(a time.Time, b *time.Time) time.Time {
	if b != nil && b.After(a) {
		return *b
	}
	return a
}

// Name returns the name of the clinic, "" if it has none, as some legacy clinics do.
func (w *Workspace) Name() string { return valueOf(w.Clinic.Name) }

func valueOf[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
