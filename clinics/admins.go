package clinics

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The admins of a clinic are always members who have the role: a user who gains it becomes a member first and an admin
// then, one who loses it goes the other way. So a crash in between leaves an admin too few, never one too many, and the
// rule that a clinic keeps an admin errs on the safe side until the call is repeated.

// AddAdmin makes the user an admin of the clinic, also if they are one already. It returns ErrNotFound if there is no such
// clinic.
func (s *Service) AddAdmin(ctx context.Context, id bson.ObjectID, userID string) error {
	add := bson.D{{Key: "$addToSet", Value: bson.D{{Key: "admins", Value: userID}}}}
	done, err := s.updateAdmins(ctx, id, bson.E{Key: "admins", Value: bson.D{{Key: "$type", Value: "array"}}}, add)
	if done || err != nil {
		return err
	}
	// Nothing can be added to null.
	set := bson.D{{Key: "$set", Value: bson.D{{Key: "admins", Value: bson.A{userID}}}}}
	done, err = s.updateAdmins(ctx, id, bson.E{Key: "admins.0", Value: bson.D{{Key: "$exists", Value: false}}}, set)
	if err == nil && !done {
		return ErrNotFound
	}
	return err
}

// EnsureAdmin is AddAdmin for a user who should be an admin already. It writes only if they are none.
func (s *Service) EnsureAdmin(ctx context.Context, id bson.ObjectID, userID string) error {
	n, err := s.collection.CountDocuments(ctx, bson.D{{Key: "_id", Value: id}, {Key: "admins", Value: userID}}, options.Count().SetLimit(1))
	if err != nil || n > 0 {
		return err
	}
	return s.AddAdmin(ctx, id, userID)
}

// RemoveAdmin takes the user out of the admins of the clinic, if they are one. It returns ErrLastAdmin, and changes
// nothing, if no other admin would be left, and ErrNotFound if there is no such clinic. Of two calls for the last two
// admins at the same time, exactly one succeeds.
func (s *Service) RemoveAdmin(ctx context.Context, id bson.ObjectID, userID string) error {
	another := bson.D{{Key: "$elemMatch", Value: bson.D{{Key: "$ne", Value: userID}}}}
	done, err := s.updateAdmins(ctx, id, bson.E{Key: "admins", Value: another}, bson.D{pull("admins", userID)})
	if done || err != nil {
		return err
	}
	// There is no other admin. A user who is none does not make it worse.
	done, err = s.updateAdmins(ctx, id, bson.E{Key: "admins", Value: bson.D{{Key: "$ne", Value: userID}}}, bson.D{})
	if done || err != nil {
		return err
	}
	if _, err := s.Get(ctx, id); err != nil {
		return err
	}
	return ErrLastAdmin
}

// ForgetAdmin takes the user out of the admins of the clinic, even if none is left. That there is no such clinic is no
// error.
func (s *Service) ForgetAdmin(ctx context.Context, id bson.ObjectID, userID string) error {
	_, err := s.updateAdmins(ctx, id, bson.E{Key: "admins", Value: userID}, bson.D{pull("admins", userID)})
	return err
}

// updateAdmins changes the clinic, and its updatedTime, if its admins are as wanted, and reports whether they were.
func (s *Service) updateAdmins(ctx context.Context, id bson.ObjectID, wanted bson.E, update bson.D) (bool, error) {
	result, err := s.collection.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}, wanted}, touched(update))
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

// pull returns the part of an update that takes every occurrence of a value out of a list.
func pull(field string, value any) bson.E {
	return bson.E{Key: "$pull", Value: bson.D{{Key: field, Value: value}}}
}
