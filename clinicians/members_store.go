package clinicians

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

func ofMember(clinicID bson.ObjectID, userID string) bson.D {
	return bson.D{{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: userID}}
}

func ofInvite(clinicID bson.ObjectID, inviteID string) bson.D {
	return bson.D{{Key: "clinicId", Value: clinicID}, {Key: "inviteId", Value: inviteID}}
}

// Get returns the member, or ErrNotFound.
func (s *Service) Get(ctx context.Context, clinicID bson.ObjectID, userID string) (*Clinician, error) {
	return s.findOne(ctx, ofMember(clinicID, userID))
}

// Made returns the member or invite of the clinic with the id of the record, or ErrNotFound. It completes what Create had begun
// when it was cut off.
func (s *Service) Made(ctx context.Context, clinicID, id bson.ObjectID) (*Clinician, error) {
	member, err := s.findOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: "clinicId", Value: clinicID}})
	if err != nil || member.UserID == nil {
		return member, err
	}
	return member, s.settle(ctx, clinicID, *member.UserID, nil)
}

// Hold returns a context under which the member changes, or is removed, only while they are what is stored now; see store.Hold.
// The error is ErrNotFound if there is no such member.
func (s *Service) Hold(ctx context.Context, clinicID bson.ObjectID, userID string) (context.Context, error) {
	held, err := store.Hold(ctx, s.collection, ofMember(clinicID, userID))
	return held, store.OneOf(err, ErrNotFound, nil)
}

// GetInvite returns the invite, or ErrNotFound.
func (s *Service) GetInvite(ctx context.Context, clinicID bson.ObjectID, inviteID string) (*Clinician, error) {
	return s.findOne(ctx, ofInvite(clinicID, inviteID))
}

func (s *Service) findOne(ctx context.Context, filter bson.D) (*Clinician, error) {
	var found Clinician
	if err := s.collection.FindOne(ctx, filter).Decode(&found); err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return &found, nil
}

func (s *Service) find(ctx context.Context, filter bson.D, o ...options.Lister[options.FindOptions]) ([]*Clinician, error) {
	cursor, err := s.collection.Find(ctx, filter, o...)
	if err != nil {
		return nil, err
	}
	var found []*Clinician
	return found, cursor.All(ctx, &found)
}

// stored returns the documents as they are, for their deletion records.
func (s *Service) stored(ctx context.Context, filter bson.D) ([]bson.Raw, error) {
	cursor, err := s.collection.Find(ctx, filter)
	if err != nil {
		return nil, err
	}
	var documents []bson.Raw
	return documents, cursor.All(ctx, &documents)
}

// hasSame reports whether the clinic has a member or invite that keeps the given one out of it.
func (s *Service) hasSame(ctx context.Context, member *Clinician) (bool, error) {
	var same bson.A
	for _, unique := range []struct {
		field string
		value *string
	}{{"userId", member.UserID}, {"inviteId", member.InviteID}, {"email", member.Email}} {
		if unique.value != nil {
			same = append(same, bson.D{{Key: unique.field, Value: *unique.value}})
		}
	}
	n, err := s.collection.CountDocuments(ctx, bson.D{{Key: "clinicId", Value: member.ClinicID}, {Key: "$or", Value: same}}, options.Count().SetLimit(1))
	return n > 0, err
}

// setNameAndRoles writes both, and returns the member as it is then. It returns ErrChanged if the roles are to change and
// are not what was read any more. A worker mails the member when an update of the roles, which may be nil, is pushed in the
// same write.
func (s *Service) setNameAndRoles(ctx context.Context, read *Clinician, name *string, roles []string, update *RolesUpdate) (*Clinician, error) {
	filter := append(bson.D{{Key: "_id", Value: read.ID}}, store.Held(ctx, s.collection)...)
	set := bson.D{{Key: "name", Value: name}, {Key: "updatedTime", Value: store.Now()}}
	gone := ErrNotFound
	if !slices.Equal(read.Roles, roles) {
		filter = append(filter, bson.E{Key: "roles", Value: read.Roles})
		set = append(set, bson.E{Key: "roles", Value: roles})
		gone = ErrChanged // or removed, which the next attempt finds out
	}
	write := bson.D{{Key: "$set", Value: set}}
	if update != nil {
		write = append(write, bson.E{Key: "$push", Value: bson.D{{Key: "rolesUpdates", Value: update}}})
	}
	return s.updateOne(ctx, filter, write, store.Missed(ctx, s.collection, gone))
}

// updateOne changes one document and returns it as it is then. The error is gone if none matches, and ErrMember if a
// unique index refuses.
func (s *Service) updateOne(ctx context.Context, filter, update bson.D, gone error) (*Clinician, error) {
	var updated Clinician
	err := s.collection.FindOneAndUpdate(ctx, filter, update, options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&updated)
	if err != nil {
		return nil, store.OneOf(err, gone, ErrMember)
	}
	return &updated, nil
}
