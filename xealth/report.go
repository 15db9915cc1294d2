package xealth

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
)

// ReportRequest is what the address of a report says. The token is the only credential.
type ReportRequest struct {
	ClinicID        string
	PatientUserID   string
	RestrictedToken string
}

var (
	errTokenExpired   = errs.Because("report_token_invalid", errs.Unauthorizedf("invalid or expired token"))
	errNoSubscription = errs.Because("subscription_not_active", errs.Unauthorizedf("patient doesn't have active subscriptions"))
)

// reportPeriod is the time before the last data that a report covers.
const reportPeriod = 14 * 24 * time.Hour

// ReportURL returns where the report of the patient can be fetched as PDF. The address holds the token and personal data.
//
// Errors are of kind Unauthorized if the token is not good for the patient or the patient's reports are off, and
// clinics.ErrNotFound and patients.ErrNotFound. The token is judged before anything is looked up.
func (s *Service) ReportURL(ctx context.Context, r ReportRequest) (string, error) {
	token, err := s.tokens.GetRestrictedToken(ctx, r.RestrictedToken)
	if err != nil {
		return "", err
	}
	if !token.ExpirationTime.After(s.now()) || token.UserID != r.PatientUserID {
		return "", errTokenExpired
	}
	clinicID, err := bson.ObjectIDFromHex(r.ClinicID)
	if err != nil {
		return "", clinics.ErrNotFound
	}
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err != nil {
		return "", err
	}
	patient, err := s.patients.Get(ctx, clinicID, r.PatientUserID)
	if err != nil {
		return "", err
	}
	// COMPAT: neither the partner of the clinic nor what else the token is for is looked at.
	if clinic.EHRSettings == nil || !clinic.EHRSettings.Enabled || !patient.EHRSubscriptions[patients.XealthReports].Active {
		return "", errNoSubscription
	}
	query, err := reportQuery(clinic, patient)
	if err != nil {
		return "", err
	}
	query.Set("restricted_token", token.ID)
	return s.applicationURL + "/export/report/" + url.PathEscape(patient.UserID) + "?" + query.Encode(), nil
}

// reportQuery says which report is wanted. Without any data there are no dates, and the export service chooses.
func reportQuery(clinic *clinics.Clinic, patient *patients.Patient) (url.Values, error) {
	query := url.Values{
		"reports": {"all"}, "inline": {"true"}, "userId": {patient.UserID},
		"dob": {patient.BirthDate}, "mrn": {valueOf(patient.MRN)}, "fullName": {valueOf(patient.FullName)},
	}
	for _, name := range []string{"dob", "mrn", "fullName"} {
		if query.Get(name) == "" {
			return nil, fmt.Errorf("a report needs the patient's %s", name)
		}
	}
	if zone := valueOf(clinic.Timezone); zone != "" {
		query.Set("tzName", zone)
	}
	if clinic.PreferredBGUnits != "" {
		query.Set("bgUnits", clinic.PreferredBGUnits)
	}
	cgm, bgm := dates(patient.Summary)
	if end := latest(cgm.LastData, bgm.LastData); !end.IsZero() {
		query.Set("startDate", end.Add(-reportPeriod).UTC().Format(time.RFC3339))
		query.Set("endDate", end.UTC().Format(time.RFC3339))
	}
	return query, nil
}

func valueOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
