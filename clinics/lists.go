package clinics

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// editAttempts is how often a change of a list is tried while others change the same list.
const editAttempts = 5

// list is a list in a clinic document, as it was read.
type list struct {
	field  string
	stored bson.RawValue // the zero value if the field is absent
}

// edit changes a list of the clinic in one write. plan sees the clinic, of which only that list was read, and returns the
// changes or an error, which edit returns. What plan saw still holds when the change is made: otherwise the list is read
// again, and ErrChanged is returned if that goes on. The error is ErrNotFound if there is no such clinic.
func (s *Service) edit(ctx context.Context, id bson.ObjectID, field string, plan func(clinic *Clinic, stored list) (bson.D, error)) error {
	for range editAttempts {
		clinic, stored, err := s.readList(ctx, id, field)
		if err != nil {
			return err
		}
		update, err := plan(clinic, stored)
		if err != nil {
			return err
		}
		result, err := s.collection.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}, stored.unchanged()}, touched(update))
		if err != nil {
			return err
		}
		if result.MatchedCount == 1 {
			return nil
		}
	}
	return ErrChanged
}

// errMade ends an edit that an earlier request with the same plan has made.
var errMade = errors.New("made already")

func unlessMade(err error) error {
	if errors.Is(err, errMade) {
		return nil
	}
	return err
}

func (s *Service) readList(ctx context.Context, id bson.ObjectID, field string) (*Clinic, list, error) {
	raw, err := s.collection.FindOne(ctx, byID(id), options.FindOne().SetProjection(bson.D{{Key: field, Value: 1}})).Raw()
	if err != nil {
		return nil, list{}, store.OneOf(err, ErrNotFound, nil)
	}
	var clinic Clinic
	if err := s.database.Unmarshal(raw, &clinic); err != nil {
		return nil, list{}, err
	}
	return &clinic, list{field: field, stored: raw.Lookup(field)}, nil
}

// unchanged returns the part of a filter that holds while the list is as it was read.
func (l list) unchanged() bson.E {
	switch {
	case l.stored.IsZero():
		return bson.E{Key: l.field, Value: bson.D{{Key: "$exists", Value: false}}}
	case l.stored.Type == bson.TypeNull:
		return bson.E{Key: l.field, Value: bson.D{{Key: "$type", Value: "null"}}}
	default:
		return bson.E{Key: l.field, Value: l.stored}
	}
}

// push returns an update that appends an element. Nothing can be appended to null, or to what a foreign hand stored.
func (l list) push(element any) bson.D {
	if !l.stored.IsZero() && l.stored.Type != bson.TypeArray {
		return bson.D{{Key: "$set", Value: bson.D{{Key: l.field, Value: bson.A{element}}}}}
	}
	return bson.D{{Key: "$push", Value: bson.D{{Key: l.field, Value: element}}}}
}

// touched returns the update with a new updatedTime.
func touched(update bson.D) bson.D {
	now := bson.E{Key: "updatedTime", Value: store.Now()}
	for i, operator := range update {
		if fields, ok := operator.Value.(bson.D); ok && operator.Key == "$set" {
			update[i].Value = append(fields, now)
			return update
		}
	}
	return append(update, bson.E{Key: "$set", Value: bson.D{now}})
}
