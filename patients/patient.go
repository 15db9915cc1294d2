package patients

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/summary"
)

// CollectionName is the collection that holds one document for each patient of a clinic.
const CollectionName = "patients"

// DeletionsCollectionName is the collection of the records of removed patients, which other services follow.
const DeletionsCollectionName = "patient_deletions"

// Patient is the stored record of a user in a clinic. A user who is a patient of several clinics has a record in each.
//
// The fields without omitempty are written on every insert, as null when there is no value: other services read the
// stored documents and tell null from absent.
type Patient struct {
	ID               bson.ObjectID `bson:"_id,omitempty"`
	ClinicID         bson.ObjectID `bson:"clinicId"`
	UserID           string        `bson:"userId"`
	BirthDate        string        `bson:"birthDate"` // YYYY-MM-DD, or "" if unknown
	Email            *string       `bson:"email"`
	FullName         *string       `bson:"fullName"`
	MRN              *string       `bson:"mrn"`
	TargetDevices    []string      `bson:"targetDevices"`
	RequireUniqueMRN bool          `bson:"requireUniqueMrn"`
	CreatedTime      time.Time     `bson:"createdTime"`
	UpdatedTime      time.Time     `bson:"updatedTime"`

	Permissions        *Permissions     `bson:"permissions,omitempty"`
	Tags               TagIDs           `bson:"tags,omitempty"`
	Sites              Sites            `bson:"sites,omitempty"`
	DataSources        *[]DataSource    `bson:"dataSources,omitempty"` // a pointer to a nil list is stored as null
	IsMigrated         bool             `bson:"isMigrated,omitempty"`
	LegacyClinicianIDs []string         `bson:"legacyClinicianIds,omitempty"`
	InvitedBy          *string          `bson:"invitedBy,omitempty"`
	Summary            *summary.Summary `bson:"summary,omitempty"`
	Reviews            []Review         `bson:"reviews,omitempty"` // newest first
	GlycemicRanges     *GlycemicRanges  `bson:"glycemicRanges,omitempty"`
	DiagnosisType      *string          `bson:"diagnosisType,omitempty"`

	LastUploadReminderTime *time.Time `bson:"lastUploadReminderTime,omitempty"`
	// ProviderConnectionRequests maps a provider to the requests to connect its account, newest first.
	ProviderConnectionRequests map[string][]ConnectionRequest `bson:"providerConnectionRequests,omitempty"`
	// LastRequestedDexcomConnectTime is how older writers kept the latest Dexcom request. It is read, never written.
	LastRequestedDexcomConnectTime *time.Time `bson:"lastRequestedDexcomConnectTime,omitempty"`
	// EHRSubscriptions maps the name of a subscription to its state.
	EHRSubscriptions map[string]EHRSubscription `bson:"ehrSubscriptions,omitempty"`
}

// Permissions says what the clinic may do with the data of a patient. A permission is granted when its member is present,
// whatever is inside; the service writes an empty document.
type Permissions struct {
	Custodian *Grant `json:"custodian,omitempty" bson:"custodian,omitempty"`
	View      *Grant `json:"view,omitempty" bson:"view,omitempty"`
	Upload    *Grant `json:"upload,omitempty" bson:"upload,omitempty"`
	Note      *Grant `json:"note,omitempty" bson:"note,omitempty"`
}

// Grant is a granted permission. It has no content.
type Grant struct{}

// IsCustodial reports whether the clinic owns the account of the patient.
func (p *Patient) IsCustodial() bool {
	return p.Permissions != nil && p.Permissions.Custodian != nil
}

// TagIDs are ids of tags of the clinic. A nil list is absent in the store, an empty one is stored as such.
type TagIDs []bson.ObjectID

// IsZero reports whether the list is to be left out of a stored document.
func (t TagIDs) IsZero() bool { return t == nil }

// Sites are the sites that a patient belongs to. A nil list is absent in the store, an empty one is stored as such.
type Sites []Site

// IsZero reports whether the list is to be left out of a stored document.
func (s Sites) IsZero() bool { return s == nil }

// Site is a copy of a site of the clinic, kept in the patients that belong to it.
type Site struct {
	ID   bson.ObjectID `bson:"id"`
	Name string        `bson:"name"`
}

// Review says which clinician looked at a patient, and when.
type Review struct {
	ClinicianID string    `json:"clinicianId" bson:"clinicianId"`
	Time        time.Time `json:"time" bson:"time"`
}

// The providers whose accounts patients can be asked to connect.
const (
	ProviderAbbott = "abbott"
	ProviderDexcom = "dexcom"
	ProviderTwiist = "twiist"
)

// DataSource is an account at a device maker from which data is, was or will be read.
type DataSource struct {
	DataSourceID   *bson.ObjectID `json:"dataSourceId,omitempty" bson:"dataSourceId,omitempty"`
	ProviderName   string         `json:"providerName" bson:"providerName"`
	State          string         `json:"state" bson:"state"`
	ModifiedTime   *time.Time     `json:"modifiedTime,omitempty" bson:"modifiedTime,omitempty"`
	ExpirationTime *time.Time     `json:"expirationTime,omitempty" bson:"expirationTime,omitempty"`
	LatestDataTime *time.Time     `json:"latestDataTime,omitempty" bson:"latestDataTime,omitempty"`
}

// ConnectionRequest says when a patient was asked to connect the account of a provider.
type ConnectionRequest struct {
	ProviderName string    `json:"providerName" bson:"providerName"`
	CreatedTime  time.Time `json:"createdTime" bson:"createdTime"`
}

// EHRSubscription says whether results of a patient go to the health record of the clinic, and which orders decided so.
type EHRSubscription struct {
	Active          bool             `bson:"active"`
	Provider        string           `bson:"provider"`                  // redox or xealth
	MatchedMessages []MatchedMessage `bson:"matchedMessages,omitempty"` // oldest first
	CreatedAt       time.Time        `bson:"createdAt"`
	UpdatedAt       time.Time        `bson:"updatedAt"`
}

// MatchedMessage refers to a stored message of a health record partner.
type MatchedMessage struct {
	ID        bson.ObjectID `bson:"id"`
	DataModel string        `bson:"dataModel"`
	EventType string        `bson:"eventType"`
}

// The types of glycemic ranges.
const (
	RangesPreset = "preset"
	RangesCustom = "custom"
)

// GlycemicRanges says by which ranges the glucose of a patient is judged: a preset, or thresholds of the clinic's own.
type GlycemicRanges struct {
	Type   string        `bson:"type"` // RangesPreset or RangesCustom
	Preset *string       `bson:"preset,omitempty"`
	Custom *CustomRanges `bson:"custom,omitempty"`
}

// CustomRanges are named thresholds, from low to high.
type CustomRanges struct {
	Name       string      `bson:"name"`
	Thresholds []Threshold `bson:"thresholds"`
}

// Threshold is the upper bound of a range of glucose.
type Threshold struct {
	Name       string     `bson:"name"`
	UpperBound UpperBound `bson:"upperBound"`
	Inclusive  bool       `bson:"inclusive"`
}

// UpperBound is a glucose value with its units, mg/dL or mmol/L. COMPAT: the value is stored as the nearest number that 32
// bits can hold. Readers decode it into so many, and fail on any other double, with the whole list of the clinic.
type UpperBound struct {
	Value float64 `bson:"value"`
	Units string  `bson:"units"`
}

// MarshalBSON returns the bound as it is stored.
func (b UpperBound) MarshalBSON() ([]byte, error) {
	type stored UpperBound // without this method
	b.Value = float64(float32(b.Value))
	return bson.Marshal(stored(b))
}
