package clinics

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// The errors of a search for the clinic of an order.
var (
	ErrNoMatch         = errs.Because("clinic_not_matched", errs.NotFoundf("couldn't find a matching clinic"))
	ErrMultipleMatches = errs.Because("clinics_matched", errs.Duplicatef("multiple matching clinics found"))
)

// ehrIndex serves the search for the clinic of an order.
func ehrIndex() store.Index {
	return store.Index{Name: "ClinicsByEHRSource", Keys: store.Ascending("ehrSettings.provider", "ehrSettings.sourceId", "ehrSettings.enabled")}
}

// FindByEHRSource returns the clinic whose enabled integration with the provider has the source id. It returns ErrNoMatch
// if there is none and ErrMultipleMatches if there are several, because then nobody can tell which is meant.
func (s *Service) FindByEHRSource(ctx context.Context, provider, sourceID string) (*Clinic, error) {
	cursor, err := s.collection.Find(ctx, append(enabledEHR(provider), bson.E{Key: "ehrSettings.sourceId", Value: sourceID}), options.Find().SetLimit(2))
	if err != nil {
		return nil, err
	}
	var found []*Clinic
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	switch len(found) {
	case 0:
		return nil, ErrNoMatch
	case 1:
		return found[0], nil
	default:
		return nil, ErrMultipleMatches
	}
}

// HasEHR reports whether the clinic exists and has an enabled integration with the provider.
func (s *Service) HasEHR(ctx context.Context, id bson.ObjectID, provider string) (bool, error) {
	n, err := s.collection.CountDocuments(ctx, append(enabledEHR(provider), bson.E{Key: "_id", Value: id}), options.Count().SetLimit(1))
	return n == 1, err
}

// WithReportsOnUpload returns which of the clinics have an enabled integration with the provider and want a report after
// every upload.
func (s *Service) WithReportsOnUpload(ctx context.Context, provider string, ids []bson.ObjectID) (map[bson.ObjectID]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cursor, err := s.collection.Find(ctx, append(enabledEHR(provider),
		bson.E{Key: "ehrSettings.scheduledReports.onUploadEnabled", Value: true},
		bson.E{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}},
	), options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, err
	}
	var found []struct {
		ID bson.ObjectID `bson:"_id"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	wanted := make(map[bson.ObjectID]bool, len(found))
	for _, clinic := range found {
		wanted[clinic.ID] = true
	}
	return wanted, nil
}

func enabledEHR(provider string) bson.D {
	return bson.D{{Key: "ehrSettings.provider", Value: provider}, {Key: "ehrSettings.enabled", Value: true}}
}
