package clinics

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/store"
)

// Indexes returns the indexes of the collections of this package. COMPAT: deployed databases have the first two of each
// under these names.
func Indexes() []store.Indexes {
	return []store.Indexes{
		{Collection: CollectionName, Indexes: []store.Index{
			{Name: "UniqueShareCodes", Keys: store.Ascending("shareCodes"), Unique: true},
			{Name: "UniqueCanonicalShareCode", Keys: store.Ascending("canonicalShareCode"), Unique: true},
			{Name: "ClinicsByCreatedTime", Keys: store.Ascending("createdTime")},
		}},
		{Collection: "clinic_deletions", Indexes: []store.Index{
			{Name: "ClinicDeletion", Keys: store.Ascending("clinic._id")},
			{Name: "DeletedTime", Keys: store.Ascending("deletedTime", "clinic._id")},
		}},
		{Collection: NotesCollectionName, Indexes: []store.Index{
			{Name: "CensusChangesByClinic", Keys: store.Ascending("clinicId", "time")},
			{Name: "CensusChangesByTime", Keys: store.Ascending("time")},
		}},
	}
}

// Repository reads and writes clinics.
type Repository struct {
	database   *store.Database
	collection *mongo.Collection
}

// NewRepository returns the clinics of the database.
func NewRepository(d *store.Database) *Repository {
	return &Repository{database: d, collection: d.Collection(CollectionName)}
}

// Get returns the clinic, or ErrNotFound. Its census is as it was stored; see CensusKeeper.Fresh.
func (r *Repository) Get(ctx context.Context, id bson.ObjectID) (*Clinic, error) {
	var clinic Clinic
	err := r.collection.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&clinic)
	if err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return &clinic, nil
}
