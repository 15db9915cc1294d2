package api

import (
	"context"
	"iter"
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/store"
)

// ListClinicsForClinician returns the clinics that the user is a member of.
func (h *Handlers) ListClinicsForClinician(ctx context.Context, r gen.ListClinicsForClinicianRequestObject) (gen.ListClinicsForClinicianResponseObject, error) {
	page := store.NewPage(r.Params.Offset, r.Params.Limit)
	cursor, err := h.cursorOf("clinics of a clinician", r.UserId, requestFrom(ctx).query, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	if cursor == nil {
		return h.membershipList(ctx, h.services.Clinicians.EachOfUser(ctx, r.UserId, page)), nil
	}
	members, next, err := behind(cursor, func(after *clinicians.Place) (iter.Seq2[*clinicians.Clinician, error], *clinicians.Place, error) {
		return h.services.Clinicians.EachOfUserBehind(ctx, r.UserId, after, page.Limit)
	})
	if err != nil {
		return nil, err
	}
	return cursorList{next, h.membershipList(ctx, members).VisitListClinicsForClinicianResponse}, nil
}

// ListAllClinicians returns the members and invites of all clinics.
func (h *Handlers) ListAllClinicians(ctx context.Context, r gen.ListAllCliniciansRequestObject) (gen.ListAllCliniciansResponseObject, error) {
	start, end, page := valueOf(r.Params.CreatedTimeStart), valueOf(r.Params.CreatedTimeEnd), store.NewPage(r.Params.Offset, r.Params.Limit)
	cursor, err := h.cursorOf("all clinicians", "", requestFrom(ctx).query, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	if cursor == nil {
		return h.membershipList(ctx, h.services.Clinicians.ListAll(ctx, start, end, page)), nil
	}
	members, next, err := behind(cursor, func(after *clinicians.Place) (iter.Seq2[*clinicians.Clinician, error], *clinicians.Place, error) {
		return h.services.Clinicians.ListAllBehind(ctx, start, end, after, page.Limit)
	})
	if err != nil {
		return nil, err
	}
	return cursorList{next, h.membershipList(ctx, members).VisitListAllCliniciansResponse}, nil
}

func (h *Handlers) membershipList(ctx context.Context, members iter.Seq2[*clinicians.Clinician, error]) membershipList {
	return membershipList(batched(members, func(batch []*clinicians.Clinician) ([]gen.ClinicianClinicRelationshipV1, error) {
		return h.showMemberships(ctx, batch)
	}))
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
	if err := h.services.Clinics.FillGroups(ctx, slices.Collect(maps.Values(byID))...); err != nil {
		return nil, err
	}
	wire := gen.ClinicianClinicRelationshipsV1{}
	for _, member := range members {
		if clinic, ok := byID[member.ClinicID]; ok {
			wire = append(wire, gen.ClinicianClinicRelationshipV1{Clinic: clinicWire(clinic), Clinician: clinicianWire(member)})
		}
	}
	return wire, nil
}
