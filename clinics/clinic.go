package clinics

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
)

// CollectionName is the collection of clinics.
const CollectionName = "clinics"

// Clinic is the stored record of a clinic. Absent, null and empty mean the same unless a field says otherwise; what the
// service writes follows the reference service, because other services read the stored documents.
type Clinic struct {
	ID               bson.ObjectID  `bson:"_id,omitempty"`
	Name             *string        `bson:"name,omitempty"` // absent until the profile of a legacy clinic is filled in
	Address          *string        `bson:"address,omitempty"`
	City             *string        `bson:"city,omitempty"`
	ClinicType       *string        `bson:"clinicType,omitempty"`
	ClinicSize       *string        `bson:"clinicSize,omitempty"`
	Country          *string        `bson:"country,omitempty"`
	PostalCode       *string        `bson:"postalCode,omitempty"`
	State            *string        `bson:"state,omitempty"`
	Website          *string        `bson:"website,omitempty"`
	PhoneNumbers     *[]PhoneNumber `bson:"phoneNumbers,omitempty"` // a pointer to a nil list is stored as null
	Timezone         *string        `bson:"timezone"`
	PreferredBGUnits string         `bson:"PreferredBgUnits,omitempty"` // COMPAT: capital P in the store

	CanonicalShareCode string   `bson:"canonicalShareCode"`
	ShareCodes         []string `bson:"shareCodes"` // the canonical one and those inherited by merges
	// Admins are the user ids of the members who are admins. It is kept in step with the members' roles.
	Admins     []string `bson:"admins"`
	IsMigrated bool     `bson:"isMigrated,omitempty"`
	Tier       string   `bson:"tier,omitempty"`

	PatientTags           []PatientTag   `bson:"patientTags,omitempty"`
	Sites                 []Site         `bson:"sites,omitempty"`
	LastDeletedPatientTag *bson.ObjectID `bson:"lastDeletedPatientTag,omitempty"`

	SuppressedNotifications *SuppressedNotifications `bson:"suppressedNotifications,omitempty"`
	MembershipRestrictions  []MembershipRestriction  `bson:"membershipRestrictions,omitempty"`
	EHRSettings             *EHRSettings             `bson:"ehrSettings,omitempty"`
	MRNSettings             *MRNSettings             `bson:"mrnSettings,omitempty"`
	PatientCountSettings    *PatientCountSettings    `bson:"patientCountSettings,omitempty"`
	PatientCount            *census.PatientCount     `bson:"patientCount,omitempty"`

	CreatedTime time.Time `bson:"createdTime"`
	UpdatedTime time.Time `bson:"updatedTime"`

	// Groups says how many patients have each tag and belong to each site. It is not part of the document; see FillGroups.
	Groups census.Groups `bson:"-"`
}

// PhoneNumber is a telephone number of a clinic.
type PhoneNumber struct {
	Type   *string `json:"type,omitempty" bson:"type,omitempty"`
	Number string  `json:"number" bson:"number"`
}

// PatientTag is a label that a clinic puts on patients.
type PatientTag struct {
	ID   bson.ObjectID `bson:"_id"`
	Name string        `bson:"name"`
}

// Site is a place or department of a clinic that patients belong to. COMPAT: its key is id, not _id.
type Site struct {
	ID   bson.ObjectID `bson:"id"`
	Name string        `bson:"name"`
}

// SuppressedNotifications says which mails other services must not send for a clinic.
type SuppressedNotifications struct {
	PatientClinicInvitation *bool `json:"patientClinicInvitation,omitempty" bson:"patientClinicInvitation,omitempty"`
}

// MembershipRestriction admits users with an address of a domain, and, if RequiredIDP is set, only those signed in with
// that identity provider. The invitation service applies it.
type MembershipRestriction struct {
	EmailDomain string `json:"emailDomain" bson:"emailDomain"`
	RequiredIDP string `json:"requiredIdp,omitempty" bson:"requiredIdp,omitempty"`
}

// MRNSettings says whether patients must have a medical record number, and whether two may share one.
type MRNSettings struct {
	Required bool `json:"required" bson:"required"`
	Unique   bool `json:"unique" bson:"unique"`
}
