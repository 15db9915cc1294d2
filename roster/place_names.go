package roster

import (
	"bytes"
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// nameStart finds, in a list in the order of names, where the page behind a place begins. Its fields say by what.
type nameStart struct {
	after *Place // nil if everybody is on the page or a later one
	// One of these, by which the start is found; none if there is no name at the place, for that group is in the order of ids.
	behind    *bson.ObjectID // after this row
	with      *bson.ObjectID // with this row
	afterText bool           // after all names that are texts
	texts     int            // how many of them there are still
	ascending bool
	met       bool
}

// isBehind reports whether a row is behind the place. It has to be asked for each row of the list, in order.
func (s *nameStart) isBehind(row named) bool {
	switch {
	case s.after == nil:
		return true
	case s.behind != nil:
		before := !s.met
		s.met = s.met || row.id == *s.behind
		return !before
	case s.with != nil:
		s.met = s.met || row.id == *s.with
		return s.met
	case s.afterText:
		if row.kind == textName {
			s.texts--
			return false
		}
		return s.texts == 0 && (!s.ascending || row.kind != noName)
	case row.kind == noName:
		return bytes.Compare(row.id[:], s.after.ID[:]) > 0
	default:
		return s.ascending // who has no name comes first
	}
}

// isMet reports whether the row was there by which the start is found.
func (s *nameStart) isMet() bool { return s.behind == nil && s.with == nil || s.met }

// findStart says where the page of a list by names begins; nil if that cannot be told for now. Known returns the name of a patient as
// the list has it, and filter finds, in the database, everybody who is in the list.
//
// If the patient of the place is not there under that name any more, whoever follows it is asked for: only the database compares
// names.
func (r *tableReads) findStart(ctx context.Context, q Query, filter bson.D, known func(id bson.ObjectID) (name uint64, kind nameKind, ok bool)) (*nameStart, error) {
	start := &nameStart{after: q.after, ascending: q.order.direction > 0}
	if q.after == nil {
		return start, nil
	}
	name, kind, ok := known(q.after.ID)
	switch {
	case ok && q.after.isNamed(name, kind):
		start.behind = &q.after.ID
		return start, nil
	case q.after.Bound:
		return nil, errPlaceGone
	case q.after.Class == 0:
		return start, nil
	}
	compared := "$gt"
	if q.order.direction < 0 {
		compared = "$lt"
	}
	for _, condition := range []bson.D{
		{{Key: "fullName", Value: q.after.Text}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: q.after.ID}}}},
		{{Key: "fullName", Value: bson.D{{Key: compared, Value: q.after.Text}}}},
	} {
		followers, err := r.namesBy(ctx, append(filter[:len(filter):len(filter)], condition...), q.order, placeSlack)
		if err != nil {
			return nil, err
		}
		for _, follower := range followers {
			id := idOf(follower)
			stored, kind := nameOf(follower)
			if name, knownKind, ok := known(id); ok && name == stored && knownKind == kind {
				start.with = &id
				return start, nil
			}
		}
		if len(followers) == placeSlack {
			return nil, nil //nolint:nilnil // the list is not what the database has
		}
	}
	start.afterText = true
	return start, nil
}
