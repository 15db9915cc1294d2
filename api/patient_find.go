package api

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"

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
	workspaces, err := h.workspaces(ctx, valueOf(r.Params.WorkspaceId), valueOf(r.Params.WorkspaceIdType))
	if err != nil {
		return nil, err
	}
	ids, mrn, birthDate := slices.Collect(maps.Keys(workspaces)), patients.TrimMRN(valueOf(r.Params.Mrn)), valueOf(r.Params.BirthDate)
	page := store.NewPage(r.Params.Offset, r.Params.Limit)
	// The list is the caller's own, and so is a cursor of it.
	cursor, err := h.cursorOf("found patients", auth.CallerFrom(ctx).UserID, requestFrom(ctx).query, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	if cursor == nil {
		return h.foundList(ctx, h.services.Roster.Find(ctx, ids, mrn, birthDate, page), workspaces), nil
	}
	found, next, err := behind(cursor, func(after *roster.Place) (iter.Seq2[roster.Row, error], *roster.Place, error) {
		return h.services.Roster.FindBehind(ctx, ids, mrn, birthDate, after, page.Limit)
	})
	if err != nil {
		return nil, err
	}
	return cursorList{next, h.foundList(ctx, found, workspaces).VisitFindPatientsResponse}, nil
}

func (h *Handlers) foundList(ctx context.Context, found iter.Seq2[roster.Row, error], workspaces map[bson.ObjectID]*clinics.Clinic) patientClinicList {
	return patientClinicList(batched(found, func(batch []roster.Row) ([]patientOfClinic, error) {
		return h.showPatientsWithClinics(ctx, batch, workspaces)
	}))
}

// workspaces returns the clinics of the caller, narrowed to those with the given id unless that is empty.
func (h *Handlers) workspaces(ctx context.Context, workspaceID string, kind gen.FindPatientsParamsWorkspaceIdType) (map[bson.ObjectID]*clinics.Clinic, error) {
	if workspaceID != "" && kind == "" {
		return nil, errWorkspaceType
	}
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
	page := store.NewPage(r.Params.Offset, r.Params.Limit)
	cursor, err := h.cursorOf("clinics of a patient", r.UserId, requestFrom(ctx).query, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	if cursor == nil {
		return h.recordList(ctx, h.services.Roster.OfUser(ctx, r.UserId, page)), nil
	}
	records, next, err := behind(cursor, func(after *roster.Place) (iter.Seq2[roster.Row, error], *roster.Place, error) {
		return h.services.Roster.OfUserBehind(ctx, r.UserId, after, page.Limit)
	})
	if err != nil {
		return nil, err
	}
	return cursorList{next, h.recordList(ctx, records).VisitListClinicsForPatientResponse}, nil
}

func (h *Handlers) recordList(ctx context.Context, records iter.Seq2[roster.Row, error]) patientClinicList {
	return patientClinicList(batched(records, func(batch []roster.Row) ([]patientOfClinic, error) {
		ids := make([]bson.ObjectID, 0, len(batch))
		for _, row := range batch {
			ids = append(ids, row.Patient.ClinicID)
		}
		owners, err := h.services.Clinics.ListByIDs(ctx, ids)
		if err != nil {
			return nil, err
		}
		return h.showPatientsWithClinics(ctx, batch, owners)
	}))
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
