package xealth

import (
	"context"
	"net/url"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/nonblank"
	"github.com/tidepool-org/clinic/patients"
)

// Program is the program of a patient as a health record shows it.
type Program struct {
	ID            string
	Title         string
	EnrolledDate  string // YYYY-MM-DD
	Description   string
	HasAlert      bool // there is something newer than what the user saw last
	HasStatusView bool // there is a report to open
}

const programTitle = "Tidepool"

// Program returns the program that the patient is in, nil if the patient is not known or in none. Errors are those of
// Preorder, but for a missing clinic, and ErrOrderNotFound.
func (s *Service) Program(ctx context.Context, r Request) (*Program, error) {
	const step = "matching get programs request"
	m, err := s.match(ctx, r)
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, during(step, err)
	}
	patient, err := s.findPatient(ctx, m, m.born)
	if err != nil {
		return nil, during(step, err)
	}
	eventID, enrolled := enrollingEvent(patient)
	if !enrolled {
		return nil, nil
	}
	last, err := s.events.enrollment(ctx, eventID)
	if err != nil {
		return nil, err
	}
	viewed, err := s.views.last(ctx, view{
		UserID: viewer(r), Deployment: r.Deployment, PatientUserID: patient.UserID, ProgramID: last.ProgramID, ClinicID: m.clinic.ID,
	})
	if err != nil {
		return nil, err
	}
	return program(patient, last, viewed), nil
}

func program(patient *patients.Patient, last enrollment, viewed time.Time) *Program {
	cgm, bgm := dates(patient.Summary)
	updated := latest(cgm.LastUpdatedDate, bgm.LastUpdatedDate)
	return &Program{
		ID:            last.ProgramID,
		Title:         programTitle,
		EnrolledDate:  last.EventTimeStamp.UTC().Format(time.DateOnly),
		Description:   describe(patient, updated, viewed),
		HasAlert:      updated.After(viewed),
		HasStatusView: !latest(cgm.LastUploadDate, bgm.LastUploadDate).IsZero(),
	}
}

// enrollingEvent returns the event that decided last about the reports of a patient, and false if reports are off. The
// patient may be nil.
func enrollingEvent(p *patients.Patient) (bson.ObjectID, bool) {
	if p == nil {
		return bson.NilObjectID, false
	}
	subscription := p.EHRSubscriptions[patients.XealthReports]
	matched := subscription.MatchedMessages
	if !subscription.Active || subscription.Provider != clinics.ProviderXealth || len(matched) == 0 {
		return bson.NilObjectID, false
	}
	return matched[len(matched)-1].ID, true
}

// viewer returns the user of the health record who is asking, or "".
func viewer(r Request) string {
	if r.Datasets == nil || r.Datasets.EHRUser == nil || r.Datasets.EHRUser.UserID == nil {
		return ""
	}
	return nonblank.First(*r.Datasets.EHRUser.UserID)
}

// ProgramURL returns where the user of the health record can see the report of the patient, and records that the user
// looked at it. The address holds a token and so is a secret. Errors are those of Preorder, and NotFound for a patient who
// is not known.
func (s *Service) ProgramURL(ctx context.Context, r Request) (string, error) {
	const step = "matching get program url request"
	m, err := s.match(ctx, r)
	if err != nil {
		return "", during(step, err)
	}
	patient, err := s.findPatient(ctx, m, m.born)
	if err == nil && patient == nil {
		err = errNoPatient
	}
	if err != nil {
		return "", during(step, err)
	}
	token, err := s.tokens.CreateRestrictedToken(ctx, patient.UserID)
	if err != nil {
		return "", err
	}
	s.recordView(ctx, r, m.clinic.ID, patient.UserID)
	query := url.Values{"clinicId": {m.clinic.ID.Hex()}, "patientId": {patient.UserID}, "restricted_token": {token.ID}}
	return s.applicationURL + "/v1/xealth/report/web/viewer.html?" + query.Encode(), nil
}

// recordView stores when a user saw a report. COMPAT: if that fails, the user gets the report all the same.
func (s *Service) recordView(ctx context.Context, r Request, clinicID bson.ObjectID, patientUserID string) {
	user := viewer(r)
	if user == "" {
		return
	}
	err := s.views.add(ctx, view{
		UserID: user, SystemLogin: r.Datasets.EHRUser.SystemLogin, Deployment: r.Deployment,
		PatientUserID: patientUserID, ProgramID: r.ProgramID, ClinicID: clinicID,
	})
	if err != nil {
		s.log.Error("the view of a report could not be recorded", zap.String("clinicId", clinicID.Hex()), zap.Error(err))
	}
}
