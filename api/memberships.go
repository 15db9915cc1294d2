package api

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/store"
)

// ListClinicsForClinician returns the clinics that the user is a member of.
func (h *Handlers) ListClinicsForClinician(ctx context.Context, r gen.ListClinicsForClinicianRequestObject) (gen.ListClinicsForClinicianResponseObject, error) {
	members, err := h.services.Clinicians.ListOfUser(ctx, r.UserId, store.NewPage(r.Params.Offset, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	wire, err := h.showMemberships(ctx, members)
	if err != nil {
		return nil, err
	}
	return gen.ListClinicsForClinician200JSONResponse(wire), nil
}

// ListAllClinicians returns the members and invites of all clinics.
func (h *Handlers) ListAllClinicians(ctx context.Context, r gen.ListAllCliniciansRequestObject) (gen.ListAllCliniciansResponseObject, error) {
	params := r.Params
	members, err := h.services.Clinicians.ListAll(ctx,
		valueOf(params.CreatedTimeStart), valueOf(params.CreatedTimeEnd), store.NewPage(params.Offset, params.Limit))
	if err != nil {
		return nil, err
	}
	wire, err := h.showMemberships(ctx, members)
	if err != nil {
		return nil, err
	}
	return gen.ListAllClinicians200JSONResponse(wire), nil
}

// showMemberships returns members with their clinics. It leaves out those whose clinic is gone.
func (h *Handlers) showMemberships(ctx context.Context, members []*clinicians.Clinician) (gen.ClinicianClinicRelationshipsV1, error) {
	ids := make([]bson.ObjectID, 0, len(members))
	for _, member := range members {
		ids = append(ids, member.ClinicID)
	}
	byID, err := h.services.Clinics.ListByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	wire := gen.ClinicianClinicRelationshipsV1{}
	for _, member := range members {
		clinic, ok := byID[member.ClinicID]
		if !ok {
			continue
		}
		shown, err := h.showClinic(ctx, clinic)
		if err != nil {
			return nil, err
		}
		wire = append(wire, gen.ClinicianClinicRelationshipV1{Clinic: shown, Clinician: clinicianWire(member)})
	}
	return wire, nil
}
