package roster

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// FindBehind yields the page of Find behind a place, or the first one if that is nil. It returns the place behind which the next page
// is, nil if there is none. Who stays stands on exactly one page.
func (s *Service) FindBehind(ctx context.Context, clinicIDs []bson.ObjectID, mrn, birthDate string, after *Place, limit int) (iter.Seq2[Row, error], *Place, error) {
	index := identityIndex(mrn, birthDate)
	switch {
	case len(clinicIDs) == 0:
		return func(func(Row, error) bool) {}, nil, nil
	case index == "" && len(clinicIDs) == 1:
		return s.ofClinicBehind(ctx, clinicIDs[0], after, limit)
	default:
		// Without an index, those who are found may be many.
		return s.foundBehind(ctx, identified(clinicIDs, mrn, birthDate), index, index == "", after, limit)
	}
}

// OfUserBehind is FindBehind for OfUser.
func (s *Service) OfUserBehind(ctx context.Context, userID string, after *Place, limit int) (iter.Seq2[Row, error], *Place, error) {
	ids, err := s.recordsOf(ctx, userID)
	if err != nil || len(ids) == 0 {
		return func(func(Row, error) bool) {}, nil, err
	}
	// In an $and, because the start of a page is looked for with another condition for the id.
	filter := bson.D{{Key: "$and", Value: bson.A{bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}}}}
	return s.foundBehind(ctx, filter, "", false, after, limit)
}

// ofClinicBehind lets the table of a clinic choose, which need not read all patients for each page.
func (s *Service) ofClinicBehind(ctx context.Context, clinicID bson.ObjectID, after *Place, limit int) (iter.Seq2[Row, error], *Place, error) {
	query := Query{order: nameOrder(1), page: store.Page{Limit: limit}}.Behind(after)
	return s.ending(ctx, func() (*chosen, iter.Seq2[Row, error], error) {
		list, err := s.behind(ctx, clinicID, query)
		if err != nil {
			return nil, nil, err
		}
		return list.chosen, list.Rows, nil
	})
}

// foundBehind chooses from the names of all whom the filter finds.
func (s *Service) foundBehind(ctx context.Context, filter bson.D, index string, narrow bool, after *Place, limit int) (iter.Seq2[Row, error], *Place, error) {
	query := Query{order: nameOrder(1), page: store.Page{Limit: limit}, narrow: narrow}.Behind(after)
	query.order.index.Name = index
	return s.ending(ctx, func() (*chosen, iter.Seq2[Row, error], error) { return s.foundBy(ctx, filter, query) })
}

// foundBy returns a page of whom the filter finds; none if they changed in between.
func (s *Service) foundBy(ctx context.Context, filter bson.D, query Query) (*chosen, iter.Seq2[Row, error], error) {
	page, err := s.rankedByName(ctx, filter, query)
	if page == nil || err != nil {
		return nil, nil, err
	}
	return page, s.byIDs(ctx, page.ids), nil
}

// ending returns the rows of a chosen page, and the place where it ends, which has to be known before any row is shown. It chooses anew if
// none was chosen, and if the last row is gone, or got another name, before its place was read.
func (s *Service) ending(ctx context.Context, choose func() (*chosen, iter.Seq2[Row, error], error)) (iter.Seq2[Row, error], *Place, error) {
	for range rankings {
		page, rows, err := choose()
		if err != nil {
			return nil, nil, err
		}
		if page == nil {
			continue
		}
		if !page.more {
			return rows, nil, nil
		}
		last, err := s.placeOf(ctx, page, page.ids[len(page.ids)-1])
		if last != nil || err != nil {
			return rows, last, err
		}
	}
	return nil, nil, errUnsettled
}

// placeOf returns the place of a row of the page, nil if it is gone or has another name by now.
func (s *Service) placeOf(ctx context.Context, page *chosen, id bson.ObjectID) (*Place, error) {
	record, err := s.collection.FindOne(ctx, bson.D{{Key: "_id", Value: id}}, options.FindOne().SetProjection(bson.D{{Key: "fullName", Value: 1}})).Raw()
	if store.IsNotFound(err) {
		return nil, nil //nolint:nilnil // it is gone
	}
	if err != nil {
		return nil, err
	}
	row, err := s.newRow(record)
	if err != nil {
		return nil, err
	}
	return page.place(row), nil
}
