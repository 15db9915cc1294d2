package clinics

import (
	"context"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/store"
)

// Filter says which clinics are wanted. A nil pointer does not restrict them.
type Filter struct {
	ShareCode     *string // the canonical code or an inherited one
	CreatedFrom   *time.Time
	CreatedBefore *time.Time
	// EHREnabled restricts to clinics whose EHR integration is on, or off. A clinic that was never connected is neither.
	EHREnabled *bool
}

// List returns a page of the clinics that the filter admits, oldest first.
func (s *Service) List(ctx context.Context, filter Filter, page store.Page) ([]*Clinic, error) {
	cursor, err := s.find(ctx, filter, page)
	if err != nil {
		return nil, err
	}
	var list []*Clinic
	return list, cursor.All(ctx, &list)
}

// Each yields what List returns, without holding all of it. An error comes last.
func (s *Service) Each(ctx context.Context, filter Filter, page store.Page) iter.Seq2[*Clinic, error] {
	return func(yield func(*Clinic, error) bool) {
		cursor, err := s.find(ctx, filter, page)
		store.Documents[*Clinic](ctx, cursor, err)(yield)
	}
}

func (s *Service) find(ctx context.Context, filter Filter, page store.Page) (*mongo.Cursor, error) {
	return s.collection.Find(ctx, filter.query(), page.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
}

func (f Filter) query() bson.D {
	query := bson.D{}
	if f.ShareCode != nil {
		query = append(query, bson.E{Key: "shareCodes", Value: *f.ShareCode})
	}
	if f.EHREnabled != nil {
		query = append(query, bson.E{Key: "ehrSettings.enabled", Value: *f.EHREnabled})
	}
	created := bson.D{}
	if isSet(f.CreatedFrom) {
		created = append(created, bson.E{Key: "$gte", Value: *f.CreatedFrom})
	}
	if isSet(f.CreatedBefore) {
		created = append(created, bson.E{Key: "$lt", Value: *f.CreatedBefore})
	}
	if len(created) > 0 {
		query = append(query, bson.E{Key: "createdTime", Value: created})
	}
	return query
}

// isSet is false for the zero time. COMPAT: clients send it for a bound that they do not want.
func isSet(bound *time.Time) bool { return bound != nil && !bound.IsZero() }
