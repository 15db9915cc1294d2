package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// The errors of taking back a review.
var (
	ErrNoReview     = errs.Because("review_not_found", errs.New(errs.NotFound, "no review to delete"))
	ErrOthersReview = errs.Because("review_of_another", errs.Conflictf("cannot revert review from another clinician"))
)

// keptReviews is how many reviews of a patient are kept.
const keptReviews = 2

var reviewsOnly = bson.D{{Key: "_id", Value: 0}, {Key: "reviews", Value: 1}}

// Review notes that the clinician has looked at the patient now, and returns the reviews that are kept, newest first, or
// ErrNotFound.
func (s *Service) Review(ctx context.Context, clinicID bson.ObjectID, userID, clinicianID string) ([]Review, error) {
	return s.changeReviews(ctx, patientKey(clinicID, userID), bson.D{{Key: "$push", Value: bson.D{{Key: "reviews", Value: bson.D{
		{Key: "$each", Value: []Review{{ClinicianID: clinicianID, Time: store.Now()}}},
		{Key: "$position", Value: 0},
		{Key: "$slice", Value: keptReviews},
	}}}}})
}

// RevertReview takes the newest review back, if the clinician made it, and returns those that are left. Errors are
// ErrNotFound, ErrNoReview and ErrOthersReview.
func (s *Service) RevertReview(ctx context.Context, clinicID bson.ObjectID, userID, clinicianID string) ([]Review, error) {
	ownsNewest := append(patientKey(clinicID, userID), bson.E{Key: "reviews.0.clinicianId", Value: clinicianID})
	removeNewest := bson.D{{Key: "$pop", Value: bson.D{{Key: "reviews", Value: -1}}}}
	reviews, err := s.changeReviews(ctx, ownsNewest, removeNewest)
	if !errs.Is(err, errs.NotFound) {
		return reviews, err
	}
	var patient Patient
	err = s.collection.FindOne(ctx, patientKey(clinicID, userID), options.FindOne().SetProjection(reviewsOnly)).Decode(&patient)
	switch {
	case err != nil:
		return nil, store.OneOf(err, ErrNotFound, nil)
	case len(patient.Reviews) == 0:
		return nil, ErrNoReview
	default:
		return nil, ErrOthersReview
	}
}

// changeReviews never returns a nil list without an error.
func (s *Service) changeReviews(ctx context.Context, filter, update bson.D) ([]Review, error) {
	patient := Patient{}
	err := s.withoutNulls(ctx, filter, []string{"reviews"}, func() error {
		return s.collection.FindOneAndUpdate(ctx, filter, update,
			options.FindOneAndUpdate().SetReturnDocument(options.After).SetProjection(reviewsOnly)).Decode(&patient)
	})
	if err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	if patient.Reviews == nil {
		return []Review{}, nil
	}
	return patient.Reviews, nil
}
