package clinicians

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// Place is where a member stands in a list, so that another page can begin behind, whatever has become of the member.
type Place struct {
	Score       int           `bson:"s,omitempty"` // how well the member fits a search
	CreatedTime time.Time     `bson:"t"`           // zero if there is none
	ID          bson.ObjectID `bson:"i"`
}

// ListBehind yields the page of List behind a place, or the first one if that is nil. It returns the place behind which the next
// page is, nil if there is none. Who stays stands on exactly one page.
func (s *Service) ListBehind(ctx context.Context, clinicID bson.ObjectID, filter Filter, after *Place, limit int) (iter.Seq2[*Clinician, error], *Place, error) {
	if filter.Search != nil {
		return s.foundBehind(ctx, filter.query(clinicID), newSearch(*filter.Search), after, limit)
	}
	return s.behind(ctx, filter.query(clinicID), after, limit)
}

// ListAllBehind is ListBehind for ListAll.
func (s *Service) ListAllBehind(ctx context.Context, start, end time.Time, after *Place, limit int) (iter.Seq2[*Clinician, error], *Place, error) {
	return s.behind(ctx, createdBetween(start, end), after, limit)
}

// EachOfUserBehind is ListBehind for EachOfUser.
func (s *Service) EachOfUserBehind(ctx context.Context, userID string, after *Place, limit int) (iter.Seq2[*Clinician, error], *Place, error) {
	return s.behind(ctx, ofUser(userID), after, limit)
}

// behind finds out where the page ends before it reads the page, because who comes meanwhile must not push anybody off its end.
func (s *Service) behind(ctx context.Context, query bson.D, after *Place, limit int) (iter.Seq2[*Clinician, error], *Place, error) {
	if after != nil {
		query = append(query, bson.E{Key: "$or", Value: after.older()})
	}
	ends, err := s.find(ctx, query, options.Find().SetSort(newestFirst).SetSkip(int64(limit-1)).SetLimit(2).
		SetProjection(bson.D{{Key: "createdTime", Value: 1}}))
	if err != nil {
		return nil, nil, err
	}
	var next *Place
	if len(ends) > 1 {
		next = &Place{CreatedTime: ends[0].CreatedTime, ID: ends[0].ID}
		query = append(query, bson.E{Key: "$nor", Value: next.older()})
	}
	return s.each(ctx, query, options.Find().SetSort(newestFirst)), next, nil
}

// older returns the alternatives that those behind the place in the order of newestFirst meet. Who has no time comes last.
func (p *Place) older() bson.A {
	if p.CreatedTime.IsZero() {
		return bson.A{bson.D{{Key: "createdTime", Value: nil}, {Key: "_id", Value: bson.D{{Key: "$lt", Value: p.ID}}}}}
	}
	return bson.A{
		bson.D{{Key: "createdTime", Value: bson.D{{Key: "$lt", Value: p.CreatedTime}}}},
		bson.D{{Key: "createdTime", Value: nil}},
		bson.D{{Key: "createdTime", Value: p.CreatedTime}, {Key: "_id", Value: bson.D{{Key: "$lt", Value: p.ID}}}},
	}
}

// foundBehind is found for the page behind a place.
func (s *Service) foundBehind(ctx context.Context, query bson.D, wanted search, after *Place, limit int) (iter.Seq2[*Clinician, error], *Place, error) {
	members, err := s.find(ctx, query, options.Find().SetSort(newestFirst))
	if err != nil {
		return nil, nil, err
	}
	placeOf := func(c *Clinician) *Place { return &Place{Score: wanted.score(c), CreatedTime: c.CreatedTime, ID: c.ID} }
	found := wanted.apply(members)
	if after != nil {
		found = slices.DeleteFunc(found, func(c *Clinician) bool { return placeOf(c).compare(after) <= 0 })
	}
	page := store.Cut(found, store.Page{Limit: limit})
	var next *Place
	if len(page) < len(found) {
		next = placeOf(page[len(page)-1])
	}
	return func(yield func(*Clinician, error) bool) {
		for _, member := range page {
			if !yield(member, nil) {
				return
			}
		}
	}, next, nil
}

// compare says which of two places comes first: the better, the newer, the greater id.
func (p *Place) compare(other *Place) int {
	return cmp.Or(cmp.Compare(other.Score, p.Score), other.CreatedTime.Compare(p.CreatedTime), slices.Compare(other.ID[:], p.ID[:]))
}
