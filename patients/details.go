package patients

import "go.mongodb.org/mongo-driver/v2/bson"

// Details are the data of a patient that clinics enter. A nil list is not given, which is different from an empty one.
type Details struct {
	FullName      string
	BirthDate     string  // YYYY-MM-DD
	Email         *string // nil or empty: none
	MRN           *string // nil or empty: none
	TargetDevices []string
	// EmailAsEntered keeps capitals in the address of a new patient. COMPAT: addresses from the forms of health records
	// keep them, all others become lower case.
	EmailAsEntered bool

	// Tags and Sites may hold ids that the clinic does not have: unknown tags are stored as they are, unknown sites are
	// refused.
	Tags  TagIDs
	Sites []bson.ObjectID

	DataSources    []DataSource
	Reviews        []Review // an empty list counts as not given
	GlycemicRanges *GlycemicRanges
	DiagnosisType  *string // empty: cleared
}

// ExistingUser is a user that becomes a patient of a clinic without a new account. What is empty is taken from the profile
// of the user.
type ExistingUser struct {
	UserID    string
	FullName  string
	BirthDate string // YYYY-MM-DD
	MRN       string

	Permissions *Permissions // nil: nothing is stored
	Tags        TagIDs       // nil: not given
	// Sites that the clinic does not have are left out.
	Sites          []bson.ObjectID
	GlycemicRanges *GlycemicRanges
	DiagnosisType  *string

	IsMigrated bool
	// LegacyClinicianID is the account that the patient shared data with before clinics existed. With it, adding a user
	// who is a patient already is no error; the id is then added to the existing record.
	LegacyClinicianID *string
}
