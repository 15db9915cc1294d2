package clinicians

import (
	"context"
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

// List returns members and invites of the clinic, the newest first; those that were searched for, the best first.
func (s *Service) List(ctx context.Context, clinicID bson.ObjectID, filter Filter, page store.Page) ([]*Clinician, error) {
	query := ofClinic(clinicID)
	if filter.Email != nil {
		query = append(query, bson.E{Key: "email", Value: strings.ToLower(*filter.Email)})
	}
	if filter.Role != nil {
		query = append(query, bson.E{Key: "roles", Value: *filter.Role})
	}
	if filter.Search == nil {
		return s.find(ctx, query, page.Find().SetSort(newestFirst))
	}
	members, err := s.find(ctx, query, options.Find().SetSort(newestFirst))
	if err != nil {
		return nil, err
	}
	return store.Cut(newSearch(*filter.Search).apply(members), page), nil
}

// ListOfUser returns the memberships of the user, the newest first. Invites do not count.
func (s *Service) ListOfUser(ctx context.Context, userID string, page store.Page) ([]*Clinician, error) {
	return s.find(ctx, ofUser(userID), page.Find().SetSort(newestFirst))
}

// ListAll returns the members and invites of all clinics that were created from start on and before end, the newest first.
// A zero time does not narrow the list.
func (s *Service) ListAll(ctx context.Context, start, end time.Time, page store.Page) ([]*Clinician, error) {
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
	return s.find(ctx, query, page.Find().SetSort(newestFirst))
}

func ofUser(userID string) bson.D { return bson.D{{Key: "userId", Value: userID}} }
