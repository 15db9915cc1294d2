package readers_test

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The types below are those into which the reference service decodes what is stored, as far as a wrong type would end its
// reading. A field that none of them has would be lost when it writes.

type refClinic struct {
	ID                      bson.ObjectID  `bson:"_id"`
	Name                    *string        `bson:"name"`
	Address                 *string        `bson:"address"`
	City                    *string        `bson:"city"`
	ClinicType              *string        `bson:"clinicType"`
	ClinicSize              *string        `bson:"clinicSize"`
	Country                 *string        `bson:"country"`
	PostalCode              *string        `bson:"postalCode"`
	State                   *string        `bson:"state"`
	Website                 *string        `bson:"website"`
	Timezone                *string        `bson:"timezone"`
	Units                   string         `bson:"PreferredBgUnits"`
	Tier                    string         `bson:"tier"`
	CanonicalShareCode      *string        `bson:"canonicalShareCode"`
	ShareCodes              *[]string      `bson:"shareCodes"`
	Admins                  *[]string      `bson:"admins"`
	IsMigrated              bool           `bson:"isMigrated"`
	PhoneNumbers            *[]refNumber   `bson:"phoneNumbers"`
	PatientTags             []refTag       `bson:"patientTags"`
	Sites                   *[]refSite     `bson:"sites"`
	LastDeletedPatientTag   *bson.ObjectID `bson:"lastDeletedPatientTag"`
	SuppressedNotifications *struct {
		PatientClinicInvitation *bool `bson:"patientClinicInvitation"`
	} `bson:"suppressedNotifications"`
	MembershipRestrictions []refDomain                      `bson:"membershipRestrictions"`
	MRNSettings            *struct{ Required, Unique bool } `bson:"mrnSettings"`
	EHRSettings            *refEHR                          `bson:"ehrSettings"`
	PatientCountSettings   *refCountLimits                  `bson:"patientCountSettings"`
	PatientCount           *refCount                        `bson:"patientCount"`
	CreatedTime            time.Time                        `bson:"createdTime"`
	UpdatedTime            time.Time                        `bson:"updatedTime"`
}

type refNumber struct {
	Type   *string `bson:"type"`
	Number string  `bson:"number"`
}

type refTag struct {
	ID       *bson.ObjectID `bson:"_id"`
	Name     string         `bson:"name"`
	Patients int            `bson:"patients"`
}

type refSite struct {
	ID       bson.ObjectID `bson:"id"`
	Name     string        `bson:"name"`
	Patients int           `bson:"patients"`
}

type refDomain struct {
	EmailDomain string `bson:"emailDomain"`
	RequiredIDP string `bson:"requiredIdp"`
}

type refEHR struct {
	Enabled        bool   `bson:"enabled"`
	Provider       string `bson:"provider"`
	SourceID       string `bson:"sourceId"`
	MRNIDType      string `bson:"mrnIdType"`
	DestinationIDs *struct {
		Flowsheet string `bson:"flowsheet"`
		Notes     string `bson:"notes"`
		Results   string `bson:"results"`
	} `bson:"destinationIds"`
	ProcedureCodes struct {
		Enable        *string `bson:"enableSummaryReports"`
		Disable       *string `bson:"disableSummaryReports"`
		Create        *string `bson:"createAccount"`
		CreateEnabled *string `bson:"createAccountAndEnableReports"`
	} `bson:"procedureCodes"`
	ScheduledReports struct {
		Cadence   string  `bson:"cadence"`
		OnUpload  bool    `bson:"onUploadEnabled"`
		EventType *string `bson:"onUploadNoteEventType"`
	} `bson:"scheduledReports"`
	Tags struct {
		Codes     []string `bson:"codes"`
		Separator *string  `bson:"separator"`
	} `bson:"tags"`
	Flowsheets struct {
		ICode bool `bson:"icode"`
	} `bson:"flowsheets"`
	Notes struct {
		IncludeGMI bool `bson:"includeGmi"`
	} `bson:"notes"`
}

type refCountLimits struct {
	HardLimit *refCountLimit `bson:"hardLimit"`
	SoftLimit *refCountLimit `bson:"softLimit"`
}

type refCountLimit struct {
	Plan      int        `bson:"plan"`
	StartDate *time.Time `bson:"startDate"`
	EndDate   *time.Time `bson:"endDate"`
}

type refCount struct {
	Total     int `bson:"total"`
	Demo      int `bson:"demo"`
	Plan      int `bson:"plan"`
	Providers map[string]struct {
		States map[string]int `bson:"states"`
		Total  int            `bson:"total"`
	} `bson:"providers"`
}

type refClinician struct {
	ID               *bson.ObjectID `bson:"_id"`
	ClinicID         *bson.ObjectID `bson:"clinicId"`
	UserID           *string        `bson:"userId"`
	InviteID         *string        `bson:"inviteId"`
	Email            *string        `bson:"email"`
	Name             *string        `bson:"name"`
	Roles            []string       `bson:"roles"`
	IsServiceAccount bool           `bson:"isServiceAccount"`
	RolesUpdates     []struct {
		Roles     []string `bson:"roles"`
		UpdatedBy string   `bson:"updatedBy"`
	} `bson:"rolesUpdates"`
	CreatedTime time.Time `bson:"createdTime"`
	UpdatedTime time.Time `bson:"updatedTime"`
}

type refMigration struct {
	ID          *bson.ObjectID `bson:"_id"`
	ClinicID    *bson.ObjectID `bson:"clinicId"`
	UserID      string         `bson:"userId"`
	Status      string         `bson:"status"`
	CreatedTime time.Time      `bson:"createdTime"`
	UpdatedTime time.Time      `bson:"updatedTime"`
}

type refPermissions struct {
	Custodian *struct{} `bson:"custodian"`
	View      *struct{} `bson:"view"`
	Upload    *struct{} `bson:"upload"`
	Note      *struct{} `bson:"note"`
}

type refPatient struct {
	ID               *bson.ObjectID   `bson:"_id"`
	ClinicID         *bson.ObjectID   `bson:"clinicId"`
	UserID           *string          `bson:"userId"`
	BirthDate        *string          `bson:"birthDate"`
	Email            *string          `bson:"email"`
	FullName         *string          `bson:"fullName"`
	MRN              *string          `bson:"mrn"`
	TargetDevices    *[]string        `bson:"targetDevices"`
	RequireUniqueMRN bool             `bson:"requireUniqueMrn"`
	Permissions      *refPermissions  `bson:"permissions"`
	Tags             *[]bson.ObjectID `bson:"tags"`
	Sites            *[]refSite       `bson:"sites"`
	DataSources      *[]struct {
		ID             *bson.ObjectID `bson:"dataSourceId"`
		ProviderName   string         `bson:"providerName"`
		State          string         `bson:"state"`
		ModifiedTime   *time.Time     `bson:"modifiedTime"`
		ExpirationTime *time.Time     `bson:"expirationTime"`
		LatestDataTime *time.Time     `bson:"latestDataTime"`
	} `bson:"dataSources"`
	IsMigrated         bool       `bson:"isMigrated"`
	LegacyClinicianIDs []string   `bson:"legacyClinicianIds"`
	InvitedBy          *string    `bson:"invitedBy"`
	ReminderTime       *time.Time `bson:"lastUploadReminderTime"`
	DexcomTime         time.Time  `bson:"lastRequestedDexcomConnectTime"`
	DiagnosisType      *string    `bson:"diagnosisType"`
	Requests           map[string][]struct {
		ProviderName string    `bson:"providerName"`
		CreatedTime  time.Time `bson:"createdTime"`
	} `bson:"providerConnectionRequests"`
	Reviews []struct {
		ClinicianID string    `bson:"clinicianId"`
		Time        time.Time `bson:"time"`
	} `bson:"reviews"`
	Subscriptions map[string]struct {
		Active          bool   `bson:"active"`
		Provider        string `bson:"provider"`
		MatchedMessages []struct {
			ID        bson.ObjectID `bson:"id"`
			DataModel string        `bson:"dataModel"`
			EventType string        `bson:"eventType"`
		} `bson:"matchedMessages"`
		CreatedAt time.Time `bson:"createdAt"`
		UpdatedAt time.Time `bson:"updatedAt"`
	} `bson:"ehrSubscriptions"`
	Ranges *struct {
		Type   string  `bson:"type"`
		Preset *string `bson:"preset"`
		Custom *struct {
			Name       string `bson:"name"`
			Thresholds []struct {
				Name       string `bson:"name"`
				UpperBound struct {
					Value float32 `bson:"value"`
					Units string  `bson:"units"`
				} `bson:"upperBound"`
				Inclusive bool `bson:"inclusive"`
			} `bson:"thresholds"`
		} `bson:"custom"`
	} `bson:"glycemicRanges"`
	Summary *struct {
		CGM *refStatistics `bson:"cgmStats"`
		BGM *refStatistics `bson:"bgmStats"`
	} `bson:"summary"`
	CreatedTime time.Time `bson:"createdTime"`
	UpdatedTime time.Time `bson:"updatedTime"`
}

type refStatistics struct {
	ID     *string `bson:"id"`
	Config struct {
		SchemaVersion int     `bson:"schemaVersion"`
		High          float64 `bson:"highGlucoseThreshold"`
		VeryHigh      float64 `bson:"veryHighGlucoseThreshold"`
		Low           float64 `bson:"lowGlucoseThreshold"`
		VeryLow       float64 `bson:"veryLowGlucoseThreshold"`
	} `bson:"config"`
	Dates   map[string]any            `bson:"dates"`
	Periods map[string]map[string]any `bson:"periods"` // numbers_test.go looks into them
}

type refDeletion struct {
	ID              bson.ObjectID `bson:"_id"`
	DeletedTime     time.Time     `bson:"deletedTime"`
	DeletedByUserID *string       `bson:"deletedByUserId"`
	Patient         *refPatient   `bson:"patient"`
	Clinician       *refClinician `bson:"clinician"`
	Clinic          *refClinic    `bson:"clinic"`
}
