package clinics

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

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
			ehrIndex(),
		}},
		{Collection: "clinic_deletions", Indexes: []store.Index{
			store.DeletionIndex(),
			{Name: "ClinicDeletion", Keys: store.Ascending("clinic._id")},
			{Name: "DeletedTime", Keys: store.Ascending("deletedTime", "clinic._id")},
		}},
	}
}

// Get returns the clinic, or ErrNotFound.
func (s *Service) Get(ctx context.Context, id bson.ObjectID) (*Clinic, error) {
	var clinic Clinic
	if err := s.lookup.Decode(ctx, id, &clinic); err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return &clinic, nil
}

// Hold returns a context under which the clinic changes, or is removed, only while it is what is stored now; see store.Hold. The
// error is ErrNotFound if there is no such clinic.
func (s *Service) Hold(ctx context.Context, id bson.ObjectID) (context.Context, error) {
	held, err := store.Hold(ctx, s.collection, byID(id))
	return held, store.OneOf(err, ErrNotFound, nil)
}

// RequireMigrated returns nil if the clinic is migrated, so that it may have members and patients of its own, and
// ErrNotFound or ErrNotMigrated otherwise.
func (s *Service) RequireMigrated(ctx context.Context, id bson.ObjectID) error {
	var clinic Clinic
	projection := options.FindOne().SetProjection(bson.D{{Key: "isMigrated", Value: 1}})
	if err := s.collection.FindOne(ctx, bson.D{{Key: "_id", Value: id}}, projection).Decode(&clinic); err != nil {
		return store.OneOf(err, ErrNotFound, nil)
	}
	if !clinic.IsMigrated {
		return ErrNotMigrated
	}
	return nil
}

// ListByIDs returns those of the clinics that exist. It reads nothing for no ids.
func (s *Service) ListByIDs(ctx context.Context, ids []bson.ObjectID) (map[bson.ObjectID]*Clinic, error) {
	documents, err := s.lookup.Documents(ctx, ids...)
	byID := make(map[bson.ObjectID]*Clinic, len(documents))
	for _, document := range documents {
		var clinic Clinic
		if err := s.database.Unmarshal(document, &clinic); err != nil {
			return nil, err
		}
		byID[clinic.ID] = &clinic
	}
	return byID, err
}

// update sets fields of the clinic, and updatedTime, in one write, and returns the clinic as it then is, or ErrNotFound.
func (s *Service) update(ctx context.Context, id bson.ObjectID, fields bson.D) (*Clinic, error) {
	fields = append(fields, bson.E{Key: "updatedTime", Value: store.Now()})
	var clinic Clinic
	err := s.collection.FindOneAndUpdate(ctx, append(byID(id), store.Held(ctx, s.collection)...), bson.D{{Key: "$set", Value: fields}},
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&clinic)
	if err != nil {
		return nil, store.OneOf(err, store.Missed(ctx, s.collection, ErrNotFound), nil)
	}
	return &clinic, nil
}
