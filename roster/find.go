package roster

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// Find yields the patients of the clinics whose medical record number and birth date are these, without regard to case and
// accents; "" stands for any. They are ordered by full name, then by record. Without clinics it finds nobody. An error comes last.
func (s *Service) Find(ctx context.Context, clinicIDs []bson.ObjectID, mrn, birthDate string, page store.Page) iter.Seq2[Row, error] {
	if len(clinicIDs) == 0 {
		return func(func(Row, error) bool) {}
	}
	filter := identified(clinicIDs, mrn, birthDate)
	ordered := s.byName(ctx, filter, page, identityIndex(mrn, birthDate))
	if mrn == "" || page.Offset > 0 || page.Limit == 0 {
		return ordered
	}
	return s.unlessOne(ctx, filter, ordered)
}

// identified returns the condition of Find.
func identified(clinicIDs []bson.ObjectID, mrn, birthDate string) bson.D {
	filter := bson.D{{Key: "clinicId", Value: oneOf(clinicIDs)}}
	for _, condition := range []struct{ path, value string }{{"mrn", mrn}, {"birthDate", birthDate}} {
		if condition.value != "" {
			filter = append(filter, bson.E{Key: condition.path, Value: condition.value})
		}
	}
	return filter
}

// oneOf returns a condition that one of the clinics meets. Engines find one by an index that several do not lead to.
func oneOf(clinicIDs []bson.ObjectID) any {
	if len(clinicIDs) == 1 {
		return clinicIDs[0]
	}
	return bson.D{{Key: "$in", Value: clinicIDs}}
}

// unlessOne yields the only record that matches, and if there are more, what is ordered. A number has one patient, as a rule, and then
// the database need not be asked for an order, nor told which index to take.
func (s *Service) unlessOne(ctx context.Context, filter bson.D, ordered iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var found []Row
		cursor, err := s.collection.Find(ctx, filter, options.Find().SetLimit(2).SetCollation(store.IgnoreCaseAndAccents()))
		for row, err := range s.rows(ctx, cursor, err) {
			if err != nil {
				yield(row, err)
				return
			}
			found = append(found, row)
		}
		if len(found) > 1 {
			ordered(yield)
			return
		}
		for _, row := range found {
			yield(row, nil)
		}
	}
}

// OfUser yields the records of a user in all clinics, ordered by full name, then by record. An error comes last.
func (s *Service) OfUser(ctx context.Context, userID string, page store.Page) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		ids, err := s.recordsOf(ctx, userID)
		if err != nil {
			yield(Row{}, err)
			return
		}
		if len(ids) > 0 {
			s.byName(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, page, "")(yield)
		}
	}
}

func (s *Service) recordsOf(ctx context.Context, userID string) (bson.A, error) {
	// In two steps, because no index can both find the user id, which is compared as it is, and compare names.
	cursor, err := s.collection.Find(ctx, bson.D{{Key: "userId", Value: userID}}, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, err
	}
	var found []struct {
		ID bson.ObjectID `bson:"_id"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	ids := make(bson.A, 0, len(found))
	for _, record := range found {
		ids = append(ids, record.ID)
	}
	return ids, nil
}

func (s *Service) byName(ctx context.Context, filter bson.D, page store.Page, index string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		cursor, err := s.find(ctx, filter, page.Find().SetSort(nameOrder(1).sort()).SetCollation(store.IgnoreCaseAndAccents()), index)
		s.rows(ctx, cursor, err)(yield)
	}
}

// rows yields what a cursor finds. An error comes last.
func (s *Service) rows(ctx context.Context, cursor *mongo.Cursor, err error) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for record, err := range store.Documents[bson.Raw](ctx, cursor, err) {
			var row Row
			if err == nil {
				row, err = s.newRow(record)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}
