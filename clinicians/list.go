package clinicians

import (
	"context"
	"iter"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// newestFirst is the order of all lists of members. The id makes it the same every time.
var newestFirst = bson.D{{Key: "createdTime", Value: -1}, {Key: "_id", Value: -1}}

// Filter narrows a list of members; a nil field does not.
type Filter struct {
	Email  *string // exact but for case
	Role   *string // any of the member's roles
	Search *string // see search
}

// query is all of the filter but the search.
func (f Filter) query(clinicID bson.ObjectID) bson.D {
	query := ofClinic(clinicID)
	if f.Email != nil {
		query = append(query, bson.E{Key: "email", Value: strings.ToLower(*f.Email)})
	}
	if f.Role != nil {
		query = append(query, bson.E{Key: "roles", Value: *f.Role})
	}
	return query
}

// List yields members and invites of the clinic, the newest first; those that were searched for, the best first. An error comes
// last.
func (s *Service) List(ctx context.Context, clinicID bson.ObjectID, filter Filter, page store.Page) iter.Seq2[*Clinician, error] {
	query := filter.query(clinicID)
	if filter.Search == nil {
		return s.each(ctx, query, page.Find().SetSort(newestFirst))
	}
	return s.found(ctx, query, newSearch(*filter.Search), page)
}

// found yields a page of the members who fit a search. To rank them, it reads all of them.
func (s *Service) found(ctx context.Context, query bson.D, wanted search, page store.Page) iter.Seq2[*Clinician, error] {
	return func(yield func(*Clinician, error) bool) {
		members, err := s.find(ctx, query, options.Find().SetSort(newestFirst))
		if err != nil {
			yield(nil, err)
			return
		}
		for _, member := range store.Cut(wanted.apply(members), page) {
			if !yield(member, nil) {
				return
			}
		}
	}
}

// each yields what a read finds, without holding all of it.
func (s *Service) each(ctx context.Context, query bson.D, o ...options.Lister[options.FindOptions]) iter.Seq2[*Clinician, error] {
	return func(yield func(*Clinician, error) bool) {
		cursor, err := s.collection.Find(ctx, query, o...)
		store.Documents[*Clinician](ctx, cursor, err)(yield)
	}
}

// ListOfUser returns the memberships of the user, the newest first. Invites do not count.
func (s *Service) ListOfUser(ctx context.Context, userID string, page store.Page) ([]*Clinician, error) {
	return s.find(ctx, ofUser(userID), page.Find().SetSort(newestFirst))
}

// EachOfUser yields what ListOfUser returns, without holding all of it. An error comes last.
func (s *Service) EachOfUser(ctx context.Context, userID string, page store.Page) iter.Seq2[*Clinician, error] {
	return s.each(ctx, ofUser(userID), page.Find().SetSort(newestFirst))
}

// ListAll yields the members and invites of all clinics that were created from start on and before end, the newest first.
// A zero time does not narrow the list. An error comes last.
func (s *Service) ListAll(ctx context.Context, start, end time.Time, page store.Page) iter.Seq2[*Clinician, error] {
	return s.each(ctx, createdBetween(start, end), page.Find().SetSort(newestFirst))
}

func createdBetween(start, end time.Time) bson.D {
	var created bson.D
	if !start.IsZero() {
		created = append(created, bson.E{Key: "$gte", Value: start})
	}
	if !end.IsZero() {
		created = append(created, bson.E{Key: "$lt", Value: end})
	}
	query := bson.D{}
	if created != nil {
		query = append(query, bson.E{Key: "createdTime", Value: created})
	}
	return query
}

func ofUser(userID string) bson.D { return bson.D{{Key: "userId", Value: userID}} }
