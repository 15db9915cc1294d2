package clinicians

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Exists reports whether the user is a member of the clinic, in any role.
func (s *Service) Exists(ctx context.Context, clinicID bson.ObjectID, userID string) (bool, error) {
	n, err := s.collection.CountDocuments(ctx, append(ofClinic(clinicID), bson.E{Key: "userId", Value: userID}), options.Count().SetLimit(1))
	return n > 0, err
}
