package api

import (
	"context"
	"net/http"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// answer writes an answer.
type answer func(w http.ResponseWriter) error

// made is what is needed to find out what a request has made.
type made struct {
	services   Services
	parameters map[string]string
	plan       store.Plan
	done       bool // whether it is known to be made
}

// repeatable leads from each operation with an Idempotency-Key to what finds the thing that was made and answers with it again.
// The error is of kind errs.NotFound if it is not there.
var repeatable = map[string]func(ctx context.Context, m made) (answer, error){
	"CreateClinic": func(ctx context.Context, m made) (answer, error) {
		clinic, err := m.services.Clinics.Get(ctx, m.plan.ID)
		if err != nil {
			return nil, err
		}
		return gen.CreateClinic200JSONResponse(clinicWire(clinic)).VisitCreateClinicResponse, nil
	},
	"EnableNewClinicExperience": func(ctx context.Context, m made) (answer, error) {
		clinic, err := m.services.Clinics.Get(ctx, m.plan.ID)
		if err != nil {
			return nil, err
		}
		return gen.EnableNewClinicExperience200JSONResponse(clinicWire(clinic)).VisitEnableNewClinicExperienceResponse, nil
	},
	"CreateClinician": func(ctx context.Context, m made) (answer, error) {
		member, err := m.services.Clinicians.Made(ctx, m.clinicID(), m.plan.ID)
		if err != nil {
			return nil, err
		}
		return gen.CreateClinician200JSONResponse(clinicianWire(member)).VisitCreateClinicianResponse, nil
	},
	"AddServiceAccount": func(ctx context.Context, m made) (answer, error) {
		member, err := m.services.Clinicians.Made(ctx, m.clinicID(), m.plan.ID)
		if err != nil {
			return nil, err
		}
		return gen.AddServiceAccount200JSONResponse(clinicianWire(member)).VisitAddServiceAccountResponse, nil
	},
	"CreatePatientAccount": func(ctx context.Context, m made) (answer, error) {
		patient, err := m.services.Patients.GetByID(ctx, m.clinicID(), m.plan.ID)
		if err != nil {
			return nil, err
		}
		return gen.CreatePatientAccount200JSONResponse(patientWire(patient)).VisitCreatePatientAccountResponse, nil
	},
	"CreatePatientFromUser": func(ctx context.Context, m made) (answer, error) {
		patient, err := m.patient(ctx)
		if err == nil && !m.done && patient.ID != m.plan.ID {
			err = patients.ErrNotFound // that is another's
		}
		if err != nil {
			return nil, err
		}
		return gen.CreatePatientFromUser200JSONResponse(patientWire(patient)).VisitCreatePatientFromUserResponse, nil
	},
	"CreatePatientTag": func(ctx context.Context, m made) (answer, error) {
		clinic, err := m.services.Clinics.Get(ctx, m.clinicID())
		if err != nil {
			return nil, err
		}
		tag := clinic.Tag(m.plan.ID)
		if tag == nil {
			return nil, clinics.ErrTagNotFound
		}
		return gen.CreatePatientTag200JSONResponse{Id: &tag.ID, Name: tag.Name}.VisitCreatePatientTagResponse, nil
	},
	"CreateSite": func(ctx context.Context, m made) (answer, error) {
		clinic, err := m.services.Clinics.Get(ctx, m.clinicID())
		if err != nil {
			return nil, err
		}
		site := clinic.Site(m.plan.ID)
		if site == nil {
			return nil, errMadeIsGone
		}
		return gen.CreateSite200JSONResponse{Id: site.ID, Name: site.Name}.VisitCreateSiteResponse, nil
	},
	"SendUploadReminder": func(ctx context.Context, m made) (answer, error) {
		patient, err := m.patient(ctx)
		if err == nil && !m.done && (patient.LastUploadReminderTime == nil || patient.LastUploadReminderTime.Before(m.plan.Time)) {
			err = errMadeIsGone
		}
		if err != nil {
			return nil, err
		}
		return gen.SendUploadReminder200JSONResponse(patientWire(patient)).VisitSendUploadReminderResponse, nil
	},
	"ConnectProvider": func(ctx context.Context, m made) (answer, error) {
		patient, err := m.patient(ctx)
		if err != nil {
			return nil, err
		}
		asked := func(r patients.ConnectionRequest) bool { return r.CreatedTime.Equal(m.plan.Time) }
		if !m.done && !slices.ContainsFunc(patient.ProviderConnectionRequests[m.parameters["providerId"]], asked) {
			return nil, errMadeIsGone
		}
		return gen.ConnectProvider204Response{}.VisitConnectProviderResponse, nil
	},
}

// errMadeIsGone tells that there is no such thing any more, or never was.
var errMadeIsGone = errs.Because("idempotency_made_is_gone", errs.New(errs.NotFound, "what the first request made is not there any more"))

func (m made) clinicID() bson.ObjectID {
	id, _ := bson.ObjectIDFromHex(m.parameters["clinicId"]) // the path was held against the document
	return id
}

func (m made) patient(ctx context.Context) (*patients.Patient, error) {
	return m.services.Patients.Get(ctx, m.clinicID(), m.parameters["patientId"])
}
