package migration

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// Indexes returns the indexes of the collection of this package. COMPAT: deployed databases have the first under this name.
func Indexes() []store.Indexes {
	return []store.Indexes{{Collection: CollectionName, Indexes: []store.Index{
		{Name: "UniqueClinicianMigration", Keys: store.Ascending("userId"), Unique: true},
		{Name: "MigrationsByClinic", Keys: store.Ascending("clinicId", "_id")},
	}}}
}

// List returns the migrations into the clinic, oldest first.
func (s *Service) List(ctx context.Context, clinicID bson.ObjectID) ([]Migration, error) {
	cursor, err := s.collection.Find(ctx, bson.D{{Key: "clinicId", Value: clinicID}}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, err
	}
	var list []Migration
	return list, cursor.All(ctx, &list)
}

// Get returns the migration of the user into the clinic, or ErrNotFound.
func (s *Service) Get(ctx context.Context, clinicID bson.ObjectID, userID string) (*Migration, error) {
	var migration Migration
	if err := s.collection.FindOne(ctx, of(clinicID, userID)).Decode(&migration); err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return &migration, nil
}

// SetStatus notes how far a migration is and returns it, or ErrNotFound.
func (s *Service) SetStatus(ctx context.Context, clinicID bson.ObjectID, userID, status string) (*Migration, error) {
	var migration Migration
	err := s.collection.FindOneAndUpdate(ctx, of(clinicID, userID),
		bson.D{{Key: "$set", Value: bson.D{{Key: "status", Value: status}, {Key: "updatedTime", Value: store.Now()}}}},
		options.FindOneAndUpdate().SetReturnDocument(options.After),
	).Decode(&migration)
	if err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return &migration, nil
}

// insert adds a pending migration. It returns ErrDuplicate if the user has one, into whichever clinic.
func (s *Service) insert(ctx context.Context, clinicID bson.ObjectID, userID string) (*Migration, error) {
	now := store.Now()
	migration := Migration{
		ID: bson.NewObjectID(), ClinicID: clinicID, UserID: userID, Status: StatusPending, CreatedTime: now, UpdatedTime: now,
	}
	if _, err := s.collection.InsertOne(ctx, migration); err != nil {
		return nil, store.OneOf(err, nil, ErrDuplicate)
	}
	return &migration, nil
}

func of(clinicID bson.ObjectID, userID string) bson.D {
	return bson.D{{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: userID}}
}
