package clinics

import "time"

// EHRSettings says how a clinic is connected to its health record system. A nil pointer is stored as null.
type EHRSettings struct {
	Enabled          bool             `bson:"enabled"`
	Provider         string           `bson:"provider"` // redox or xealth
	DestinationIDs   *EHRDestinations `bson:"destinationIds"`
	ProcedureCodes   EHRProcedures    `bson:"procedureCodes"`
	SourceID         string           `bson:"sourceId"`
	MRNIDType        string           `bson:"mrnIdType"`
	ScheduledReports ScheduledReports `bson:"scheduledReports"`
	Tags             EHRTags          `bson:"tags"`
	Flowsheets       EHRFlowsheets    `bson:"flowsheets"`
	Notes            EHRNotes         `bson:"notes"`
}

// defaultMRNIDType stands for an empty MRNIDType.
const defaultMRNIDType = "MRN"

// MRNType returns which of the identifiers of a patient in an order is the medical record number.
func (s *EHRSettings) MRNType() string {
	if s.MRNIDType == "" {
		return defaultMRNIDType
	}
	return s.MRNIDType
}

// The partners through which a clinic can be connected.
const (
	ProviderRedox  = "redox"
	ProviderXealth = "xealth"
)

// EHRDestinations are the Redox destinations of the three kinds of outgoing messages.
type EHRDestinations struct {
	Flowsheet string `bson:"flowsheet"`
	Notes     string `bson:"notes"`
	Results   string `bson:"results"`
}

// EHRProcedures are the procedure codes by which orders are told apart.
type EHRProcedures struct {
	EnableSummaryReports          *string `bson:"enableSummaryReports,omitempty"`
	DisableSummaryReports         *string `bson:"disableSummaryReports,omitempty"`
	CreateAccount                 *string `bson:"createAccount,omitempty"`
	CreateAccountAndEnableReports *string `bson:"createAccountAndEnableReports,omitempty"`
}

// ScheduledReports says how often reports are sent, and whether an upload sends one.
type ScheduledReports struct {
	Cadence               string  `bson:"cadence"` // 1d, 7d, 14d, 30d or DISABLED
	OnUploadEnabled       bool    `bson:"onUploadEnabled"`
	OnUploadNoteEventType *string `bson:"onUploadNoteEventType"`
}

// EHRTags says which order values become patient tags.
type EHRTags struct {
	Codes     []string `bson:"codes"`
	Separator *string  `bson:"separator"`
}

// EHRFlowsheets are options of outgoing flowsheets.
type EHRFlowsheets struct {
	ICode bool `bson:"icode,omitempty"`
}

// EHRNotes are options of outgoing notes.
type EHRNotes struct {
	IncludeGMI bool `bson:"includeGmi,omitempty"` // COMPAT: mixed case in the store
}

// PatientCountSettings limit how many patients a clinic may create. A nil limit means none.
type PatientCountSettings struct {
	HardLimit *PatientCountLimit `bson:"hardLimit,omitempty"`
	SoftLimit *PatientCountLimit `bson:"softLimit,omitempty"`
}

// PatientCountLimit is a number of patients and the time in which it holds; a missing bound is open.
type PatientCountLimit struct {
	Plan      int        `bson:"plan"`
	StartDate *time.Time `bson:"startDate,omitempty"`
	EndDate   *time.Time `bson:"endDate,omitempty"`
	// PatientCount is how older writers kept Plan. It is read when Plan is 0, never written.
	PatientCount *int `bson:"patientCount,omitempty"`
}
