package patients

import (
	"context"
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// RemoveUser removes the user, who left the platform, from the patients of all clinics. It may be repeated after a failure,
// and goes on where it stopped.
func (s *Service) RemoveUser(ctx context.Context, userID string) error {
	cursor, err := s.collection.Find(ctx, ofUser(userID), options.Find().SetProjection(bson.D{{Key: "clinicId", Value: 1}}))
	if err != nil {
		return err
	}
	var records []Patient
	if err := cursor.All(ctx, &records); err != nil {
		return err
	}
	for _, record := range records {
		if err := s.Remove(ctx, record.ClinicID, userID, nil); err != nil && !errors.Is(err, ErrNotFound) { // another call came first
			return err
		}
	}
	return nil
}

// RemoveShared removes the patients of a clinic who only shared their data with it, the demo patient among them. Those
// whose accounts the clinic owns stay.
func (s *Service) RemoveShared(ctx context.Context, clinicID bson.ObjectID) error {
	shared := append(ofClinic(clinicID), bson.E{Key: "permissions.custodian", Value: bson.D{{Key: "$in", Value: bson.A{nil, false}}}})
	// Few are left of a clinic that nobody works in: to count them is cheaper than to know what each removed one stood for.
	return s.census.RecountAfter(ctx, func(ctx context.Context) error {
		return s.database.InTx(ctx, func(ctx context.Context) error {
			_, err := s.deletions.Remove(ctx, shared, nil)
			return err
		})
	}, clinicID)
}

// ChangeEmail changes the address of the user in all clinics; nil takes it away. COMPAT: a worker looks for a removed
// field, not for null.
func (s *Service) ChangeEmail(ctx context.Context, userID string, email *string) error {
	set := bson.D{{Key: "updatedTime", Value: store.Now()}}
	var update bson.D
	if email == nil {
		update = bson.D{{Key: "$set", Value: set}, {Key: "$unset", Value: bson.D{{Key: "email", Value: ""}}}}
	} else {
		update = bson.D{{Key: "$set", Value: append(set, bson.E{Key: "email", Value: strings.ToLower(*email)})}}
	}
	_, err := s.collection.UpdateMany(ctx, ofUser(userID), update)
	return err
}

func ofUser(userID string) bson.D { return bson.D{{Key: "userId", Value: userID}} }
