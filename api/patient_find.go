package api

import (
	"context"
	"encoding/json"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// maxWorkspaces is in how many clinics of a caller patients are looked for.
const maxWorkspaces = 1000

var errWorkspaceType = errs.Because("workspace_type_required", errs.BadRequestf("workspace id type is required"))

// FindPatients answers with patients of the clinics that the caller is a member of.
func (h *Handlers) FindPatients(ctx context.Context, r gen.FindPatientsRequestObject) (gen.FindPatientsResponseObject, error) {
	if valueOf(r.Params.WorkspaceId) != "" && r.Params.WorkspaceIdType == nil {
		return nil, errWorkspaceType
	}
	workspaces, err := h.workspaces(ctx, valueOf(r.Params.WorkspaceId), valueOf(r.Params.WorkspaceIdType))
	if err != nil {
		return nil, err
	}
	ids := make([]bson.ObjectID, 0, len(workspaces))
	for id := range workspaces {
		ids = append(ids, id)
	}
	page := store.NewPage(r.Params.Offset, r.Params.Limit)
	found := h.services.Roster.Find(ctx, ids, patients.TrimMRN(valueOf(r.Params.Mrn)), valueOf(r.Params.BirthDate), page)
	return patientClinicList(batched(found, func(batch []roster.Row) ([]patientOfClinic, error) {
		return h.showPatientsWithClinics(ctx, batch, workspaces)
	})), nil
}

// workspaces returns the clinics of the caller, narrowed to those with the given id unless that is empty.
func (h *Handlers) workspaces(ctx context.Context, workspaceID string, kind gen.FindPatientsParamsWorkspaceIdType) (map[bson.ObjectID]*clinics.Clinic, error) {
	members, err := h.services.Clinicians.ListOfUser(ctx, auth.CallerFrom(ctx).UserID, store.Page{Limit: maxWorkspaces})
	if err != nil {
		return nil, err
	}
	ids := make([]bson.ObjectID, 0, len(members))
	for _, member := range members {
		if kind != gen.FindPatientsParamsWorkspaceIdTypeClinicId || workspaceID == "" || member.ClinicID.Hex() == workspaceID {
			ids = append(ids, member.ClinicID)
		}
	}
	found, err := h.services.Clinics.ListByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	for id, clinic := range found {
		if kind == gen.FindPatientsParamsWorkspaceIdTypeEhrSourceId && workspaceID != "" && (clinic.EHRSettings == nil || clinic.EHRSettings.SourceID != workspaceID) {
			delete(found, id)
		}
	}
	return found, nil
}

// ListClinicsForPatient answers with the records of a user in all clinics.
func (h *Handlers) ListClinicsForPatient(ctx context.Context, r gen.ListClinicsForPatientRequestObject) (gen.ListClinicsForPatientResponseObject, error) {
	found := h.services.Roster.OfUser(ctx, r.UserId, store.NewPage(r.Params.Offset, r.Params.Limit))
	return patientClinicList(batched(found, func(batch []roster.Row) ([]patientOfClinic, error) {
		ids := make([]bson.ObjectID, 0, len(batch))
		for _, row := range batch {
			ids = append(ids, row.Patient.ClinicID)
		}
		owners, err := h.services.Clinics.ListByIDs(ctx, ids)
		if err != nil {
			return nil, err
		}
		return h.showPatientsWithClinics(ctx, batch, owners)
	})), nil
}

// showPatientsWithClinics returns patients beside their clinics. A record whose clinic is gone is left out.
func (h *Handlers) showPatientsWithClinics(ctx context.Context, list []roster.Row, owners map[bson.ObjectID]*clinics.Clinic) ([]patientOfClinic, error) {
	var present []*clinics.Clinic
	known := make(map[bson.ObjectID]json.RawMessage, len(owners))
	for _, row := range list {
		if owner, ok := owners[row.Patient.ClinicID]; ok && known[owner.ID] == nil {
			present, known[owner.ID] = append(present, owner), json.RawMessage{}
		}
	}
	wires, err := h.showClinics(ctx, present)
	if err != nil {
		return nil, err
	}
	for i, owner := range present {
		if known[owner.ID], err = json.Marshal(wires[i]); err != nil {
			return nil, err
		}
	}
	shown := make([]patientOfClinic, 0, len(list))
	for _, row := range list {
		if clinic, ok := known[row.Patient.ClinicID]; ok {
			shown = append(shown, patientOfClinic{clinic: clinic, row: row})
		}
	}
	return shown, nil
}

// patientOfClinic is a PatientClinicRelationshipV1 that is written straight from what is stored.
type patientOfClinic struct {
	clinic json.RawMessage
	row    roster.Row
}

func appendPatientOfClinic(body []byte, p patientOfClinic) ([]byte, error) {
	body = append(append(body, `{"clinic":`...), p.clinic...)
	body, err := appendRow(append(body, `,"patient":`...), p.row)
	return append(body, '}'), err
}
