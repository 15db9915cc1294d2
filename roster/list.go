package roster

import (
	"context"
	"errors"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// Service reads the patients of clinics.
type Service struct {
	database   *store.Database
	collection *mongo.Collection
	totals     *totals
	tables     *tables
}

// NewService returns the patients of the database.
func NewService(d *store.Database) *Service {
	collection := d.Collection(patients.CollectionName)
	totals := newTotals(d)
	return &Service{database: d, collection: collection, totals: totals, tables: newTables(d, totals)}
}

// List is a page of a list of patients.
type List struct {
	// Rows yields the patients of the page, once. Reading them may fail, and then an error comes last.
	Rows iter.Seq2[Row, error]
	// Count is how many patients meet the conditions, on all pages; Total is how many the clinic has.
	Count, Total int
	// More tells whether there is a page behind this one. Only a list behind a place says so.
	More bool

	chosen *chosen // of a list behind a place
}

// List returns the page that the query asks for. A clinic that does not exist has no patients.
//
// Where an index gives the order of all patients of the clinic, the first pages are read straight from it. Otherwise the table
// of the clinic says who is on the page, and only these are read, by their ids: whole records are large. What the table does not
// know, and a clinic that is too large for one, is ranked from what is read of all patients who meet the conditions.
func (s *Service) List(ctx context.Context, clinicID bson.ObjectID, query Query) (*List, error) {
	if query.placed {
		return s.behind(ctx, clinicID, query)
	}
	everyone := len(query.conditions) == 0 && query.people == nil
	indexed := everyone && query.order.index.Name != "" && query.page.Offset < deepPage
	if !indexed && !query.selection.reviewed {
		list, err := s.tabled(ctx, clinicID, query)
		if !errors.Is(err, errTooLarge) {
			return list, err
		}
	}
	var list List
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		list.Total, err = s.totals.count(groupCtx, clinicID)
		return err
	})
	group.Go(func() (err error) {
		if everyone && query.order.index.Name != "" {
			list.Rows, err = s.indexed(ctx, clinicID, query)
			return err
		}
		list.Count, list.Rows, err = s.ranked(ctx, query.filter(clinicID), query)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if everyone {
		list.Count = list.Total
	}
	return &list, nil
}

func (q Query) filter(clinicID bson.ObjectID) bson.D {
	return append(bson.D{{Key: "clinicId", Value: clinicID}}, q.conditions...)
}

// indexed reads a page of all patients in the order of an index. A partial index holds those whose value is known, who come
// first; if they do not fill the page, it goes on with the others.
func (s *Service) indexed(ctx context.Context, clinicID bson.ObjectID, query Query) (iter.Seq2[Row, error], error) {
	o, page := query.order, query.page
	filter := append(bson.D{{Key: "clinicId", Value: clinicID}}, o.index.Partial...)
	find := page.Find().SetSort(o.sort())
	if o.collated {
		find.SetCollation(store.IgnoreCaseAndAccents())
	}
	cursor, err := s.find(ctx, filter, find, o.index.Name)
	if err != nil {
		return nil, err
	}
	rows := s.cursorRows(ctx, cursor)
	if o.index.Partial == nil {
		return rows, nil
	}
	return func(yield func(Row, error) bool) {
		read := 0
		for row, err := range rows {
			read++
			if !yield(row, err) || err != nil {
				return
			}
		}
		if read < page.Limit {
			s.unknown(ctx, clinicID, o, page, read)(yield)
		}
	}, nil
}

// unknown yields the rest of a page, of which the index gave the first rows, from the patients whose value is not known.
func (s *Service) unknown(ctx context.Context, clinicID bson.ObjectID, o order, page store.Page, read int) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		wanted := Query{order: o, page: store.Page{Offset: page.Offset + read, Limit: page.Limit - read}}
		list, err := s.tabled(ctx, clinicID, wanted)
		switch {
		case err == nil:
			list.Rows(yield)
			return
		case !errors.Is(err, errTooLarge):
			yield(Row{}, err)
			return
		}
		skip := 0
		if read == 0 && page.Offset > 0 { // the page may begin anywhere among them
			known, err := s.collection.CountDocuments(ctx, append(bson.D{{Key: "clinicId", Value: clinicID}}, o.index.Partial...))
			if err != nil {
				yield(Row{}, err)
				return
			}
			skip = max(0, page.Offset-int(known))
		}
		rest := bson.D{{Key: "clinicId", Value: clinicID}, {Key: o.flag, Value: bson.D{{Key: "$ne", Value: true}}}}
		_, rows, err := s.ranked(ctx, rest, Query{order: o, page: store.Page{Offset: skip, Limit: page.Limit - read}})
		if err != nil {
			yield(Row{}, err)
			return
		}
		rows(yield)
	}
}

const (
	// rankBatch is how many small documents come in one answer of the database.
	rankBatch = 20_000
	// deepPage is the offset from which the database would pass over more records than it is worth.
	deepPage = 200
	// rowBatch bounds how many whole records are in memory at once.
	rowBatch = 200
)

func (s *Service) find(ctx context.Context, filter bson.D, o *options.FindOptionsBuilder, index string) (*mongo.Cursor, error) {
	return findBy(ctx, s.collection, filter, o, index)
}

// findBy reads with the index of the given name, because the statistics of the database may mislead it: above all it takes
// an index that gives the order for one that leads to few records. Until the index is built it reads without; "" leaves the
// choice to the database.
func findBy(ctx context.Context, from *mongo.Collection, filter bson.D, o *options.FindOptionsBuilder, index string) (*mongo.Cursor, error) {
	if index == "" {
		return from.Find(ctx, filter, o)
	}
	cursor, err := from.Find(ctx, filter, o, options.Find().SetHint(index))
	if store.IsUnknownIndex(err) {
		return from.Find(ctx, filter, o)
	}
	return cursor, err
}

// identityIndex returns the index that leads to the patients of clinics with a number or a birth date, "" if neither is given.
func identityIndex(mrn, birthDate string) string {
	switch {
	case mrn != "":
		return "PatientMRNEn"
	case birthDate != "":
		return "PatientBirthDateEn"
	default:
		return ""
	}
}
