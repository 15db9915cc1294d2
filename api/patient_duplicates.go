package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// ListPatientDuplicates lists patients who may be one person.
func (h *Handlers) ListPatientDuplicates(ctx context.Context, r gen.ListPatientDuplicatesRequestObject) (gen.ListPatientDuplicatesResponseObject, error) {
	by := roster.UsualLikenesses()
	if r.Params.By != nil {
		by = nil
		for _, likeness := range *r.Params.By {
			by = append(by, roster.Likeness(likeness))
		}
	}
	found, err := h.services.Roster.Duplicates(ctx, r.ClinicId, by, store.NewPage(r.Params.Offset, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	answer := gen.ListPatientDuplicates200JSONResponse{Data: make([]gen.PatientDuplicateGroupV1, 0, len(found.Groups))}
	answer.Meta.Count = found.Count
	for _, group := range found.Groups {
		answer.Data = append(answer.Data, duplicateGroupWire(group))
	}
	return answer, nil
}

func duplicateGroupWire(group roster.AlikeGroup) gen.PatientDuplicateGroupV1 {
	wire := gen.PatientDuplicateGroupV1{Count: group.Count, Patients: make([]gen.PatientCandidateV1, 0, len(group.Patients))}
	for _, likeness := range group.By {
		wire.By = append(wire.By, gen.PatientLikenessV1(likeness))
	}
	for _, patient := range group.Patients {
		wire.Patients = append(wire.Patients, candidateWire(patient))
	}
	return wire
}

func candidateWire(p *patients.Patient) gen.PatientCandidateV1 {
	wire := gen.PatientCandidateV1{Id: p.UserID, FullName: p.FullName, Mrn: mrnWire(p.MRN), Email: p.Email}
	if p.BirthDate != "" {
		wire.BirthDate = &p.BirthDate
	}
	if !p.CreatedTime.IsZero() {
		wire.CreatedTime = new(p.CreatedTime.UTC())
	}
	return wire
}
