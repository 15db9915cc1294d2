package patients

import (
	"context"
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// UserEvents follows what happens to users of the platform in the clinics whose patients they are.
type UserEvents struct {
	*Service
	census *clinics.CensusKeeper
}

// NewUserEvents returns the rules for the patients of the service.
func NewUserEvents(s *Service, census *clinics.CensusKeeper) *UserEvents {
	return &UserEvents{Service: s, census: census}
}

// RemoveUser removes the user, who left the platform, from the patients of all clinics. It may be repeated after a failure,
// and goes on where it stopped.
func (e *UserEvents) RemoveUser(ctx context.Context, userID string) error {
	cursor, err := e.collection.Find(ctx, ofUser(userID), options.Find().SetProjection(bson.D{{Key: "clinicId", Value: 1}}))
	if err != nil {
		return err
	}
	var records []Patient
	if err := cursor.All(ctx, &records); err != nil {
		return err
	}
	for _, record := range records {
		if err := e.Remove(ctx, record.ClinicID, userID, nil); err != nil && !errors.Is(err, ErrNotFound) { // another call came first
			return err
		}
	}
	return nil
}

// RemoveShared removes the patients of a clinic who only shared their data with it, the demo patient among them. Those
// whose accounts the clinic owns stay.
func (e *UserEvents) RemoveShared(ctx context.Context, clinicID bson.ObjectID) error {
	shared := append(ofClinic(clinicID), bson.E{Key: "permissions.custodian", Value: bson.D{{Key: "$in", Value: bson.A{nil, false}}}})
	return e.census.Track(ctx, clinicID, func(ctx context.Context) (clinics.Census, error) {
		removed := 0
		err := e.database.InTx(ctx, func(ctx context.Context) (err error) {
			removed, err = e.deletionRecords().Remove(ctx, shared, nil)
			return err
		})
		if err != nil || removed == 0 {
			return clinics.Census{}, err
		}
		// Few are left of a clinic that nobody works in: to count them is cheaper than to know what each removed one stood for.
		if err := e.census.Recount(ctx, clinicID); err != nil && !errs.Is(err, errs.NotFound) {
			return clinics.Census{}, err
		}
		return clinics.Census{}, nil
	})
}

// ChangeEmail changes the address of the user in all clinics; nil takes it away. COMPAT: a worker looks for a removed
// field, not for null.
func (e *UserEvents) ChangeEmail(ctx context.Context, userID string, email *string) error {
	set := bson.D{{Key: "updatedTime", Value: store.Now()}}
	var update bson.D
	if email == nil {
		update = bson.D{{Key: "$set", Value: set}, {Key: "$unset", Value: bson.D{{Key: "email", Value: ""}}}}
	} else {
		update = bson.D{{Key: "$set", Value: append(set, bson.E{Key: "email", Value: strings.ToLower(*email)})}}
	}
	_, err := e.collection.UpdateMany(ctx, ofUser(userID), update)
	return err
}

func ofUser(userID string) bson.D { return bson.D{{Key: "userId", Value: userID}} }
