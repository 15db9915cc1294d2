package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/internal/errs"
)

// UpdatePatientReviews notes that the caller has looked at a patient.
func (h *Handlers) UpdatePatientReviews(ctx context.Context, r gen.UpdatePatientReviewsRequestObject) (gen.UpdatePatientReviewsResponseObject, error) {
	person, err := requirePerson(ctx)
	if err != nil {
		return nil, err
	}
	reviews, err := h.services.Patients.Review(ctx, r.ClinicId, r.PatientId, person)
	if err != nil {
		return nil, err
	}
	return gen.UpdatePatientReviews200JSONResponse(reviews), nil
}

// DeletePatientReviews takes the caller's latest review back.
func (h *Handlers) DeletePatientReviews(ctx context.Context, r gen.DeletePatientReviewsRequestObject) (gen.DeletePatientReviewsResponseObject, error) {
	person, err := requirePerson(ctx)
	if err != nil {
		return nil, err
	}
	reviews, err := h.services.Patients.RevertReview(ctx, r.ClinicId, r.PatientId, person)
	if err != nil {
		return nil, err
	}
	return gen.DeletePatientReviews200JSONResponse(reviews), nil
}

var errNoPerson = errs.Because("user_token_required", errs.New(errs.BadRequest, "expected user access token"))

// requirePerson returns the user id of a caller who is a person. A backend service gets this far if it is a member of the
// clinic, but there are things that only people do.
func requirePerson(ctx context.Context) (string, error) {
	caller := auth.CallerFrom(ctx)
	if caller.Server {
		return "", errNoPerson
	}
	return caller.UserID, nil
}
