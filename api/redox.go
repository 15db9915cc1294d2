package api

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/redox"
)

// ProcessEHRMessage stores a message of Redox.
func (h *Handlers) ProcessEHRMessage(ctx context.Context, _ gen.ProcessEHRMessageRequestObject) (gen.ProcessEHRMessageResponseObject, error) {
	body, err := rawBody(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.services.Redox.Receive(ctx, body); err != nil {
		return nil, err
	}
	return gen.ProcessEHRMessage200Response{}, nil
}

// VerifyEndpoint repeats the challenge by which Redox checks the endpoint.
func (h *Handlers) VerifyEndpoint(ctx context.Context, _ gen.VerifyEndpointRequestObject) (gen.VerifyEndpointResponseObject, error) {
	var check struct {
		Token     string `json:"verification-token"`
		Challenge string `json:"challenge"`
	}
	if err := bindPartner(ctx, &check); err != nil {
		return nil, err
	}
	if err := h.services.Partners.RedoxEndpoint(check.Token); err != nil {
		return nil, err
	}
	return gen.VerifyEndpoint200JSONResponse{Challenge: check.Challenge}, nil
}

// MatchClinicAndPatient finds the clinic and the patients of a stored order.
func (h *Handlers) MatchClinicAndPatient(ctx context.Context, r gen.MatchClinicAndPatientRequestObject) (gen.MatchClinicAndPatientResponseObject, error) {
	if r.Body == nil || r.Body.MessageRef == nil {
		return nil, redox.ErrMessageRequired
	}
	message, err := newOrderID(*r.Body.MessageRef)
	if err != nil {
		return nil, err
	}
	match, err := h.services.Redox.MatchOrder(ctx, message, patientOptions(r.Body.Patients))
	if err != nil {
		return nil, err
	}
	clinic, err := h.showClinic(ctx, match.Clinic)
	if err != nil {
		return nil, err
	}
	answer := gen.MatchClinicAndPatient200JSONResponse{Clinic: clinic, Settings: ehrSettingsWire(*match.Clinic.EHRSettings)}
	if len(match.Patients) > 0 {
		shown := make(gen.PatientsV1, 0, len(match.Patients))
		for _, patient := range match.Patients {
			shown = append(shown, patientWire(patient))
		}
		answer.Patients = &shown
	}
	return answer, nil
}

func newOrderID(ref gen.EhrMatchMessageRefV1) (bson.ObjectID, error) {
	if ref.DataModel != gen.Order || ref.EventType != gen.EhrMatchMessageRefV1EventTypeNew {
		return bson.NilObjectID, redox.ErrNotANewOrder
	}
	id, err := bson.ObjectIDFromHex(ref.DocumentId)
	if err != nil {
		return bson.NilObjectID, redox.ErrInvalidMessageID
	}
	return id, nil
}

func patientOptions(body *gen.EhrMatchRequestPatientsOptionsV1) *redox.PatientOptions {
	if body == nil {
		return nil
	}
	options := &redox.PatientOptions{OnUniqueMatch: redox.Action(valueOf(body.OnUniqueMatch))}
	for _, criterion := range body.Criteria {
		options.Criteria = append(options.Criteria, redox.Criterion(criterion))
	}
	return options
}

// SyncEHRData schedules the reports of all subscribed patients of a clinic.
func (h *Handlers) SyncEHRData(ctx context.Context, r gen.SyncEHRDataRequestObject) (gen.SyncEHRDataResponseObject, error) {
	if _, err := h.services.Redox.SyncClinic(ctx, r.ClinicId); err != nil {
		return nil, err
	}
	return gen.SyncEHRData202Response{}, nil
}

// SyncEHRDataForPatient schedules the reports of one patient.
func (h *Handlers) SyncEHRDataForPatient(ctx context.Context, r gen.SyncEHRDataForPatientRequestObject) (gen.SyncEHRDataForPatientResponseObject, error) {
	if _, err := h.services.Redox.SyncPatient(ctx, r.PatientId); err != nil {
		return nil, err
	}
	return gen.SyncEHRDataForPatient202Response{}, nil
}
