package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
)

// UpdatePatientReviews notes that the caller has looked at a patient.
func (h *Handlers) UpdatePatientReviews(ctx context.Context, r gen.UpdatePatientReviewsRequestObject) (gen.UpdatePatientReviewsResponseObject, error) {
	reviews, err := h.services.Patients.Review(ctx, r.ClinicId, r.PatientId, auth.CallerFrom(ctx).UserID)
	if err != nil {
		return nil, err
	}
	return gen.UpdatePatientReviews200JSONResponse(reviews), nil
}

// DeletePatientReviews takes the caller's latest review back.
func (h *Handlers) DeletePatientReviews(ctx context.Context, r gen.DeletePatientReviewsRequestObject) (gen.DeletePatientReviewsResponseObject, error) {
	reviews, err := h.services.Patients.RevertReview(ctx, r.ClinicId, r.PatientId, auth.CallerFrom(ctx).UserID)
	if err != nil {
		return nil, err
	}
	return gen.DeletePatientReviews200JSONResponse(reviews), nil
}
